"""Purging: notes are deleted for good with their history, and a change is recorded for the tabs."""

# ruff: noqa: S608  (only fragments of SQL from these modules are put together; values are arguments)

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from asyncpg.pool import Pool

from notes_service.repository.connections import connection
from notes_service.repository.note_columns import size
from servicekit.sql import Statement

# The changes get the user's next cursors. They name the actor or, if that is NULL, the one who moved each note to the
# trash. The bytes, also those of the versions, are counted as in `note_transaction`.
PURGE = Statement(f"""
WITH purged AS (
    DELETE FROM notes WHERE user_id = :user_id AND id = ANY (:note_ids::uuid[]) RETURNING *
), counted AS (
    SELECT count(*) AS notes,
           coalesce(sum({size("purged")}), 0) AS bytes
    FROM purged
), versions AS (
    SELECT coalesce(sum({size("revisions")}), 0) AS bytes
    FROM revisions WHERE user_id = :user_id AND note_id = ANY (:note_ids::uuid[])
), next AS (
    UPDATE feed SET cursor = cursor + counted.notes, notes = feed.notes - counted.notes,
                    bytes = feed.bytes - counted.bytes, revision_bytes = feed.revision_bytes - versions.bytes
    FROM counted, versions WHERE user_id = :user_id RETURNING cursor - counted.notes AS before
)
INSERT INTO changes (user_id, cursor, op, note_id, version, actor, created_at)
SELECT :user_id, next.before + row_number() OVER (ORDER BY purged.id), 'delete', purged.id, purged.version + 1,
       coalesce(:actor, updated_by), statement_timestamp()
FROM purged, next
""")

USERS_WITH_EXPIRED = Statement("""
SELECT DISTINCT user_id::text FROM notes WHERE deleted_at < now() - :retention::interval
""")
EXPIRED = Statement("""
SELECT id::text FROM notes WHERE user_id = :user_id AND deleted_at < now() - :retention::interval
ORDER BY deleted_at, id LIMIT :limit
""")


IN_TRASH = Statement("""
SELECT id::text FROM notes WHERE user_id = :user_id AND deleted_at <= :before ORDER BY deleted_at, id LIMIT :limit
""")
PURGE_BATCH = 50
"""Notes in one transaction, so that their user can write in between."""


async def purge(db: Any, user_id: str, note_ids: Sequence[str], actor: dict[str, Any] | None) -> None:
    """To be called in the transaction of a write, which holds the lock on the user's feed."""
    await db.execute(*PURGE(user_id=user_id, note_ids=note_ids, actor=actor))


async def expired(db: Any, user_id: str, retention: timedelta, limit: int) -> list[str]:
    """The notes that have been in the user's trash longer than `retention`, oldest first."""
    return [record["id"] for record in await db.fetch(*EXPIRED(user_id=user_id, retention=retention, limit=limit))]


async def in_trash(db: Any, user_id: str, before: datetime, limit: int) -> list[str]:
    """The notes that were moved to the user's trash by `before`, oldest first."""
    return [record["id"] for record in await db.fetch(*IN_TRASH(user_id=user_id, before=before, limit=limit))]


async def users_with_expired(pool: Pool, retention: timedelta) -> list[str]:
    async with connection(pool) as db:
        return [record["user_id"] for record in await db.fetch(*USERS_WITH_EXPIRED(retention=retention))]
