"""The change feed: what tabs missed, what has not been published yet, and for how long both are kept."""

# ruff: noqa: S608  (what is put together here are our own pieces of SQL; values are arguments)

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from asyncpg.pool import Pool

from contracts.actor import PublicActor
from contracts.notes import ChangedNote, ChangeFeed
from contracts.user_events import NoteChanged
from notes_service.repository import rows
from notes_service.repository.connections import connection, transaction

PUBLISH_AT_ONCE = 100
"""Changes of one user in a batch, so that an import keeps nobody else waiting."""

BOUNDS = """
SELECT cursor AS newest, coalesce((SELECT min(cursor) FROM changes WHERE user_id = $1), cursor + 1) AS oldest
FROM feed WHERE user_id = $1
"""
SINCE = f"""
SELECT c.cursor, c.op, c.note_id::text AS changed, c.version AS became, c.actor, {rows.SUMMARY}
FROM changes c LEFT JOIN notes ON notes.user_id = c.user_id AND notes.id = c.note_id AND deleted_at IS NULL
WHERE c.user_id = $1 AND c.cursor > $2 ORDER BY c.cursor LIMIT $3
"""

WAITING = "SELECT DISTINCT user_id::text FROM changes WHERE NOT published"
# a lost mark only means that a change is published again
UNHURRIED = "SET LOCAL synchronous_commit = off"
CLAIM = """
SELECT id::text FROM unnest($1::uuid[]) AS users (id)
WHERE pg_try_advisory_xact_lock(hashtextextended('publish ' || id::text, 0))
"""
UNPUBLISHED = """
SELECT c.user_id::text, c.cursor, c.op, c.note_id::text AS id, c.version, c.actor
FROM unnest($1::uuid[]) AS users (id), LATERAL (
    SELECT * FROM changes WHERE user_id = users.id AND NOT published ORDER BY cursor LIMIT $2
) AS c
ORDER BY c.user_id, c.cursor
"""
PUBLISHED = "UPDATE changes SET published = true WHERE user_id = $1 AND cursor <= $2 AND NOT published"

FORGET_CHANGES = "DELETE FROM changes WHERE published AND created_at < now() - $1::interval"
FORGET_KEYS = "DELETE FROM idempotency WHERE created_at < now() - $1::interval"


class Changes:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def newest(self, user_id: str) -> int:
        async with connection(self.pool) as db:
            return (await db.fetchval("SELECT cursor FROM feed WHERE user_id = $1", user_id)) or 0

    async def since(self, user_id: str, cursor: int, limit: int) -> ChangeFeed:
        """The changes after `cursor`; `expired` where some of them are not kept any more, or never were made."""
        async with connection(self.pool) as db:
            bounds = await db.fetchrow(BOUNDS, user_id)
            oldest, newest = (bounds["oldest"], bounds["newest"]) if bounds else (1, 0)
            if not oldest - 1 <= cursor <= newest:
                return ChangeFeed(changes=[], cursor=newest, expired=True)
            changes = [_changed(row) for row in await db.fetch(SINCE, user_id, cursor, limit)]
        return ChangeFeed(changes=changes, cursor=changes[-1].cursor if changes else newest)

    async def waiting(self) -> list[str]:
        """The users who have changes that are not published."""
        async with connection(self.pool) as db:
            return [row["user_id"] for row in await db.fetch(WAITING)]

    @asynccontextmanager
    async def to_publish(self, users: Sequence[str]) -> AsyncGenerator["Batch"]:
        """The next changes of those of the users whom no other replica publishes for just now, while the block runs.

        Read after the claim, in a statement of its own: so it sees what the last to claim them has published.
        """
        async with transaction(self.pool) as db:
            await db.execute(UNHURRIED)
            claimed = [row["id"] for row in await db.fetch(CLAIM, users)]
            records = await db.fetch(UNPUBLISHED, claimed, PUBLISH_AT_ONCE)
            by_user: dict[str, list[NoteChanged]] = {user: [] for user in claimed}
            for record in records:
                by_user[record["user_id"]].append(NoteChanged.model_validate(dict(record)))
            yield Batch(db, by_user)

    async def forget(self, changes_after: timedelta, keys_after: timedelta) -> None:
        async with connection(self.pool) as db:
            await db.execute(FORGET_CHANGES, changes_after)
            await db.execute(FORGET_KEYS, keys_after)


@dataclass(frozen=True)
class Batch:
    """Claimed users, and the next changes of each in order."""

    db: Any
    by_user: dict[str, list[NoteChanged]]

    async def mark(self, user_id: str, cursor: int) -> None:
        """The user's changes up to this one are published."""
        await self.db.execute(PUBLISHED, user_id, cursor)


def _changed(row: Mapping[str, Any]) -> ChangedNote:
    return ChangedNote(
        op=row["op"],
        id=row["changed"],
        version=row["became"],
        cursor=row["cursor"],
        actor=PublicActor.model_validate(row["actor"]),
        note=rows.summary(row) if row["id"] is not None else None,
    )
