"""Notes that go for good: with their history, but not without the change that tells the tabs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from asyncpg.pool import Pool

from notes_service.repository.connections import connection

# Their changes are the newest of the user, one after another, in the name of `$3` or of who put each in the trash.
GONE = """
WITH gone AS (
    DELETE FROM notes WHERE user_id = $1 AND id = ANY ($2::uuid[]) RETURNING *
), counted AS (
    SELECT count(*) AS notes,
           coalesce(sum(octet_length(title) + octet_length(body) + octet_length(array_to_string(tags, ''))), 0) AS bytes
    FROM gone
), next AS (
    UPDATE feed SET cursor = cursor + counted.notes, notes = feed.notes - counted.notes,
                    bytes = feed.bytes - counted.bytes
    FROM counted WHERE user_id = $1 RETURNING cursor - counted.notes AS before
)
INSERT INTO changes (user_id, cursor, op, note_id, version, actor, created_at)
SELECT $1, next.before + row_number() OVER (ORDER BY gone.id), 'delete', gone.id, gone.version + 1,
       coalesce($3, updated_by), statement_timestamp()
FROM gone, next
"""

FULL = "SELECT DISTINCT user_id::text FROM notes WHERE deleted_at < now() - $1::interval"
OLDEST = """
SELECT id::text FROM notes WHERE user_id = $1 AND deleted_at < now() - $2::interval ORDER BY deleted_at, id LIMIT $3
"""


async def purge(db: Any, user_id: str, note_ids: Sequence[str], actor: dict[str, Any] | None) -> None:
    """In the transaction of a write, which holds the user's feed."""
    await db.execute(GONE, user_id, note_ids, actor)


async def overdue(db: Any, user_id: str, kept: timedelta, limit: int) -> list[str]:
    """The notes that have been in the user's trash for longer than they are kept there."""
    return [record["id"] for record in await db.fetch(OLDEST, user_id, kept, limit)]


async def users_with_overdue(pool: Pool, kept: timedelta) -> list[str]:
    async with connection(pool) as db:
        return [record["user_id"] for record in await db.fetch(FULL, kept)]
