"""Runs of all users that no worker holds."""

from dataclasses import dataclass
from datetime import timedelta

from asyncpg.pool import Pool


@dataclass(frozen=True)
class AbandonedRun:
    """A run that needs a worker and has none. `overdue`: it has never had one, for too long."""

    run_id: str
    user_id: str
    attempt: int
    overdue: bool


class RecoveryRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def abandoned(self, *, grace: float, start_timeout: float, limit: int = 500) -> list[AbandonedRun]:
        """Runs created more than `grace` seconds ago that no worker holds, oldest first.

        `overdue` are those that have been queued for more than `start_timeout` seconds.
        """
        rows = await self.pool.fetch(
            """
            SELECT id::text AS run_id, user_id::text, attempt,
              status = 'queued' AND created_at < now() - $2::interval AS overdue
            FROM runs WHERE done_at IS NULL AND status <> 'waiting' AND created_at < now() - $1::interval
              AND (lease_until IS NULL OR lease_until < now()) ORDER BY created_at LIMIT $3
            """,
            *(timedelta(seconds=grace), timedelta(seconds=start_timeout), limit),
        )
        return [AbandonedRun(**dict(row)) for row in rows]
