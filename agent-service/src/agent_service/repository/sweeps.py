"""What the sweeper looks for, across all users: runs nobody works on, and what is left of deleted conversations."""

from dataclasses import dataclass
from datetime import timedelta

from asyncpg.pool import Pool


@dataclass(frozen=True)
class Abandoned:
    """A run without a worker. `overdue`: it has never had one, for too long."""

    run_id: str
    user_id: str
    attempt: int
    overdue: bool


class SweepRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def abandoned(self, *, grace: float, patience: float, limit: int = 500) -> list[Abandoned]:
        """Runs begun more than `grace` seconds ago that no worker holds, oldest first."""
        rows = await self.pool.fetch(
            """
            SELECT id::text AS run_id, user_id::text, attempt,
              status = 'queued' AND created_at < now() - $2::interval AS overdue
            FROM runs WHERE done_at IS NULL AND status <> 'waiting' AND created_at < now() - $1::interval
              AND (lease_until IS NULL OR lease_until < now()) ORDER BY created_at LIMIT $3
            """,
            *(timedelta(seconds=grace), timedelta(seconds=patience), limit),
        )
        return [Abandoned(**dict(row)) for row in rows]

    async def take_told(self, *, after: float, limit: int = 100) -> list[tuple[str, str]]:
        """Users and ids of runs that ended more than `after` seconds ago, each once: their events may be forgotten."""
        rows = await self.pool.fetch(
            """
            WITH told AS (
              UPDATE runs SET events_forgotten = true WHERE id IN (
                SELECT id FROM runs WHERE done_at < now() - $1::interval AND NOT events_forgotten
                ORDER BY done_at LIMIT $2 FOR UPDATE SKIP LOCKED)
              RETURNING user_id, id
            ), forgotten AS (
              DELETE FROM kept_events AS kept USING told WHERE kept.run_id = told.id AND kept.user_id = told.user_id
            ) SELECT user_id::text, id::text FROM told
            """,
            *(timedelta(seconds=after), limit),
        )
        return [(row["user_id"], row["id"]) for row in rows]

    async def forget_deleted(self) -> None:
        """Removes deleted conversations whose runs are all over, and count no more among those of the last hour."""
        await self.pool.execute(
            """
            DELETE FROM conversations WHERE deleted_at < now() - interval '1 hour' AND NOT EXISTS (
              SELECT FROM runs WHERE conversation_id = conversations.id AND done_at IS NULL)
            """
        )
