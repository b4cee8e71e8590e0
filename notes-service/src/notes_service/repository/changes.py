"""The change feed and its outbox: changes for tabs that missed them, and changes that are not published yet.

A user's changes have cursors 1, 2, 3 … without a gap, in the order in which they were committed (see
`note_transaction`). Old ones are deleted from the front. So a reader that has everything up to `cursor` misses nothing
exactly when the oldest change there is comes right after it or before, and when there is one with that cursor at all:
after a database was restored from a backup the newest cursor may be lower than what the reader saw. Otherwise the feed
is `expired` for that reader, which then fetches everything again.
"""

# ruff: noqa: S608  (only fragments of SQL from these modules are put together; values are arguments)

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from asyncpg.pool import Pool

from contracts.actor import PublicActor
from contracts.notes import ChangedNote, ChangeFeed
from contracts.user_events import NoteChanged
from notes_service.repository import note_columns
from notes_service.repository.connections import connection, transaction
from servicekit.sql import Statement

BATCH_PER_USER = 100
"""Changes of one user in a batch, so that an import does not delay other users."""

NEWEST = Statement("SELECT cursor FROM feed WHERE user_id = :user_id")
BOUNDS = Statement("""
SELECT cursor AS newest, coalesce((SELECT min(cursor) FROM changes WHERE user_id = :user_id), cursor + 1) AS oldest
FROM feed WHERE user_id = :user_id
""")
SINCE = Statement(f"""
SELECT c.cursor, c.op, c.note_id::text AS changed_id, c.version AS changed_version, c.actor, {note_columns.SUMMARY}
FROM changes c LEFT JOIN notes ON notes.user_id = c.user_id AND notes.id = c.note_id AND deleted_at IS NULL
WHERE c.user_id = :user_id AND c.cursor > :cursor ORDER BY c.cursor LIMIT :limit
""")

USERS_WITH_UNPUBLISHED = Statement("SELECT DISTINCT user_id::text FROM changes WHERE NOT published")
CLAIM = Statement("""
SELECT id::text FROM unnest(:users::uuid[]) AS users (id)
WHERE pg_try_advisory_xact_lock(hashtextextended('publish ' || id::text, 0))
""")
UNPUBLISHED = Statement("""
SELECT c.user_id::text, c.cursor, c.op, c.note_id::text AS id, c.version, c.actor
FROM unnest(:users::uuid[]) AS users (id), LATERAL (
    SELECT * FROM changes WHERE user_id = users.id AND NOT published ORDER BY cursor LIMIT :limit
) AS c
ORDER BY c.user_id, c.cursor
""")
MARK_PUBLISHED = Statement("""
UPDATE changes SET published = true FROM unnest(:users::uuid[], :cursors::bigint[]) AS done (user_id, cursor)
WHERE changes.user_id = done.user_id AND changes.cursor <= done.cursor AND NOT published
""")

DELETE_OLD_CHANGES = Statement("DELETE FROM changes WHERE published AND created_at < now() - :retention::interval")
DELETE_OLD_KEYS = Statement("DELETE FROM idempotency WHERE created_at < now() - :retention::interval")


class ChangeRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def newest(self, user_id: str) -> int:
        """The cursor of the user's newest change; 0 before the first."""
        async with connection(self.pool) as db:
            return (await db.fetchval(*NEWEST(user_id=user_id))) or 0

    async def since(self, user_id: str, cursor: int, limit: int) -> ChangeFeed:
        """The next changes after `cursor`, at most `limit`."""
        async with connection(self.pool) as db:
            bounds = await db.fetchrow(*BOUNDS(user_id=user_id))
            oldest, newest = (bounds["oldest"], bounds["newest"]) if bounds else (1, 0)
            if not oldest - 1 <= cursor <= newest:
                return ChangeFeed(changes=[], cursor=newest, expired=True)
            rows = await db.fetch(*SINCE(user_id=user_id, cursor=cursor, limit=limit))
        changes = [_changed_note(row) for row in rows]
        return ChangeFeed(changes=changes, cursor=changes[-1].cursor if changes else newest)

    async def users_with_unpublished(self) -> list[str]:
        async with connection(self.pool) as db:
            return [row["user_id"] for row in await db.fetch(*USERS_WITH_UNPUBLISHED())]

    @asynccontextmanager
    async def claim_unpublished(self, users: Sequence[str]) -> AsyncGenerator["UnpublishedBatch"]:
        """Claims those of the users that no other replica has claimed, until the block ends, and reads their next
        changes. The block's marks are committed at its end.

        The changes are read by a separate statement after the claim, so that it sees the marks of the previous claim.
        If a crash of the database loses a mark, a change is only published again.
        """
        async with transaction(self.pool, synchronous=False) as db:
            claimed = [row["id"] for row in await db.fetch(*CLAIM(users=users))]
            by_user: dict[str, list[NoteChanged]] = {user: [] for user in claimed}
            for row in await db.fetch(*UNPUBLISHED(users=claimed, limit=BATCH_PER_USER)):
                by_user[row["user_id"]].append(NoteChanged.model_validate(dict(row)))
            yield UnpublishedBatch(db, by_user)

    async def delete_old(self, change_retention: timedelta, key_retention: timedelta) -> None:
        async with connection(self.pool) as db:
            await db.execute(*DELETE_OLD_CHANGES(retention=change_retention))
            await db.execute(*DELETE_OLD_KEYS(retention=key_retention))


@dataclass(frozen=True)
class UnpublishedBatch:
    """Claimed users and the next changes of each, by cursor; none for a user whose changes were published meanwhile."""

    db: Any
    by_user: dict[str, list[NoteChanged]]

    async def mark_published(self, cursors: Mapping[str, int]) -> None:
        """Marks the changes of each user up to a cursor as published."""
        await self.db.execute(*MARK_PUBLISHED(users=list(cursors), cursors=list(cursors.values())))


def _changed_note(row: Mapping[str, Any]) -> ChangedNote:
    return ChangedNote(
        op=row["op"],
        id=row["changed_id"],
        version=row["changed_version"],
        cursor=row["cursor"],
        actor=PublicActor.model_validate(row["actor"]),
        note=note_columns.note_summary(row) if row["id"] is not None else None,
    )
