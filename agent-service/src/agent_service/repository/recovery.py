"""Runs of all users that have waited for a worker for too long."""

from dataclasses import dataclass
from datetime import timedelta

from asyncpg.pool import Pool


@dataclass(frozen=True)
class OverdueRun:
    """A run that has never had a worker."""

    run_id: str
    user_id: str


class RecoveryRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def overdue(self, *, start_timeout: timedelta, limit: int = 500) -> list[OverdueRun]:
        """Runs that have been queued for more than `start_timeout`, oldest first."""
        rows = await self.pool.fetch(
            """
            SELECT id::text AS run_id, user_id::text FROM runs
            WHERE done_at IS NULL AND status <> 'waiting' AND status = 'queued'
              AND created_at < now() - $1::interval AND (lease_until IS NULL OR lease_until < now())
            ORDER BY created_at LIMIT $2
            """,
            *(start_timeout, limit),
        )
        return [OverdueRun(**dict(row)) for row in rows]
