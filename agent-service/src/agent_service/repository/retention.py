"""What is past its retention period, across all users: events of finished runs, deleted conversations."""

from datetime import timedelta

from asyncpg.pool import Pool


class RetentionRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def expire_events(self, *, after: float, limit: int = 100) -> list[tuple[str, str]]:
        """User and id of runs that ended more than `after` seconds ago, each run once: their events in the stream are
        no longer needed. Deletes their retained events in the same statement."""
        rows = await self.pool.fetch(
            """
            WITH expired AS (
              UPDATE runs SET events_forgotten = true WHERE id IN (
                SELECT id FROM runs WHERE done_at < now() - $1::interval AND NOT events_forgotten
                ORDER BY done_at LIMIT $2 FOR UPDATE SKIP LOCKED)
              RETURNING user_id, id
            ), deleted AS (
              DELETE FROM kept_events AS retained USING expired
              WHERE retained.run_id = expired.id AND retained.user_id = expired.user_id
            ) SELECT user_id::text, id::text FROM expired
            """,
            *(timedelta(seconds=after), limit),
        )
        return [(row["user_id"], row["id"]) for row in rows]

    async def delete_conversations(self) -> None:
        """Removes conversations that their user deleted, once all their runs are over and no longer count towards the
        limit per hour."""
        await self.pool.execute(
            """
            DELETE FROM conversations WHERE deleted_at < now() - interval '1 hour' AND NOT EXISTS (
              SELECT FROM runs WHERE conversation_id = conversations.id AND done_at IS NULL)
            """
        )
