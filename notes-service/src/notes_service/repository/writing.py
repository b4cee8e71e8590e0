"""Every write of a note: the note, its revision, the change and its place in the user's order, in one transaction."""

# ruff: noqa: S608  (what is put together here are our own pieces of SQL; values are arguments)

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from asyncpg.pool import Pool

from contracts.actor import Actor
from contracts.errors import NotFound, VersionConflict
from contracts.notes import ChangeOp, Note
from notes_service.draft import Draft
from notes_service.folding import sort_key
from notes_service.plain_text import preview
from notes_service.quota import Quota, Used
from notes_service.repository import rows
from notes_service.repository.connections import transaction
from notes_service.repository.links import relink
from notes_service.repository.purging import purge
from notes_service.repository.thinning import THIN_EVERY, thin
from notes_service.spelling import spelt

BURST = timedelta(minutes=5)
"""What one person changes of one note within this time is one version in its history, the last."""

LOCK = "SELECT notes, bytes FROM feed WHERE user_id = $1 FOR UPDATE"
BEGIN_FEED = "INSERT INTO feed (user_id) VALUES ($1) ON CONFLICT DO NOTHING"

NOTE = f"SELECT {rows.NOTE} FROM notes WHERE user_id = $1 AND id = $2"

# The first version and every later one. The time is this statement's, after the lock: a user's times never go back.
# An imported note may be older than its first version here.
SAVE = f"""
WITH saved AS (
    INSERT INTO notes AS notes (user_id, id, title, title_key, body, preview, tags, pinned, archived, version,
                                created_at, updated_at, deleted_at, updated_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10,
            coalesce($21, statement_timestamp()), coalesce($22, statement_timestamp()),
            CASE WHEN $11 THEN statement_timestamp() END, $12)
    ON CONFLICT (user_id, id) DO UPDATE SET
        title = excluded.title, title_key = excluded.title_key, body = excluded.body, preview = excluded.preview,
        tags = excluded.tags, pinned = excluded.pinned, archived = excluded.archived, version = excluded.version,
        updated_at = excluded.updated_at, deleted_at = excluded.deleted_at, updated_by = excluded.updated_by
    RETURNING *
), joined AS (
    UPDATE revisions SET listed = false
    WHERE $18::interval IS NOT NULL AND user_id = $1 AND note_id = $2 AND version = $10 - 1 AND actor = $12
          AND burst > statement_timestamp() - $18::interval
    RETURNING burst
), revision AS (
    INSERT INTO revisions (user_id, note_id, version, op, title, body, tags, pinned, archived, deleted_at, actor,
                           created_at, burst)
    SELECT user_id, id, version, $13, title, body, tags, pinned, archived, deleted_at, updated_by,
           statement_timestamp(),
           CASE WHEN $18::interval IS NOT NULL THEN coalesce((SELECT burst FROM joined), statement_timestamp()) END
    FROM saved
), next AS (
    UPDATE feed SET cursor = cursor + 1, notes = notes + $19, bytes = bytes + $20 WHERE user_id = $1 RETURNING cursor
), change AS (
    INSERT INTO changes (user_id, cursor, op, note_id, version, actor, created_at)
    SELECT user_id, next.cursor, $13, id, version, updated_by, statement_timestamp() FROM saved, next
), words AS (
    INSERT INTO note_words (user_id, note_id, heading, words)
    SELECT user_id, id, heading, heading || setweight(words_of($14::text::regconfig, $17), 'C')
    FROM saved, heading_of($14::text::regconfig, $15, $16) AS heading WHERE $14 IS NOT NULL
)
SELECT {rows.NOTE} FROM saved AS notes
"""

FORGET_WORDS = "DELETE FROM note_words WHERE user_id = $1 AND note_id = $2"

REMEMBER = """
INSERT INTO idempotency (user_id, key, note_id, version) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
KNOWN = "SELECT EXISTS (SELECT FROM idempotency WHERE user_id = $1 AND key = $2)"
REMEMBERED = """
SELECT k.note_id::text AS id, r.title, r.body, r.tags, r.pinned, r.archived, k.version, n.created_at,
       r.created_at AS updated_at, r.deleted_at, r.actor AS updated_by
FROM idempotency k
LEFT JOIN notes n ON (n.user_id, n.id) = (k.user_id, k.note_id)
LEFT JOIN revisions r ON (r.user_id, r.note_id, r.version) = (k.user_id, k.note_id, k.version)
WHERE k.user_id = $1 AND k.key = $2
"""

GONE_ON = "This was done before, and the note has been changed since."


@asynccontextmanager
async def writing(pool: Pool, actor: Actor, language: str, quota: Quota) -> AsyncGenerator["Writing"]:
    """A transaction that holds the user's feed: until it ends nobody else writes a note of this user."""
    async with transaction(pool) as db:
        if (feed := await db.fetchrow(LOCK, actor.user_id)) is None:
            await db.execute(BEGIN_FEED, actor.user_id)
            feed = await db.fetchrow(LOCK, actor.user_id)
        yield Writing(db, actor, language, quota, Used(feed["notes"], feed["bytes"]))


@dataclass
class Writing:
    db: Any
    actor: Actor
    language: str
    quota: Quota
    used: Used
    saved: bool = False
    """Whether there is a change to publish once the transaction has ended."""

    async def note(self, note_id: str) -> Note:
        """In the trash or not. Raises `NotFound`."""
        row = await self.db.fetchrow(NOTE, self.actor.user_id, note_id)
        if row is None:
            raise NotFound("There is no such note.")
        return rows.note(row)

    async def save(self, op: ChangeOp, draft: Draft, before: Note | None = None, *, joins: bool = False) -> Note:
        """Stores the version that comes after `before`. `joins`: it may become one with the edit before it.

        Raises `QuotaExceeded`. What is in the trash, search does not know.
        """
        earlier = Draft.of(before) if before else None
        more_notes, more_bytes = (0, draft.size - earlier.size) if earlier else (1, draft.size)
        after = self.used.with_more(more_notes, more_bytes)
        self.quota.check(self.used, after)
        reworded = op in ("create", "restore") or (op == "update" and earlier and earlier.searched != draft.searched)
        if op == "delete" or (op == "update" and reworded):
            await self.db.execute(FORGET_WORDS, self.actor.user_id, draft.id)
        actor = self.actor.public().model_dump(exclude_none=True)
        row = await self.db.fetchrow(
            SAVE,
            *(self.actor.user_id, draft.id, draft.title, sort_key(draft.title), draft.body, preview(draft.body)),
            *(draft.tags, draft.pinned, draft.archived, draft.version + 1, op == "delete", actor, op),
            *((self.language, *(spelt(text) for text in draft.searched)) if reworded else (None,) * 4),
            *(BURST if joins else None, more_notes, more_bytes, draft.created_at, draft.updated_at),
        )
        if earlier is None or earlier.body != draft.body:
            await relink(self.db, self.actor.user_id, draft.id, earlier.links if earlier else set(), draft.links)
        self.used = after
        self.saved = True
        if row["version"] % THIN_EVERY == 0:
            await thin(self.db, self.actor.user_id, draft.id)
        return rows.note(row)

    async def purge(self, note_ids: Sequence[str], *, by_whoever_deleted: bool = False) -> None:
        """For good. The changes say that the actor did it, or whoever had put the notes in the trash."""
        actor = None if by_whoever_deleted else self.actor.public().model_dump(exclude_none=True)
        await purge(self.db, self.actor.user_id, note_ids, actor)
        self.saved = True

    async def is_known(self, key: str | None) -> bool:
        """Whether a write was done under this key."""
        return key is not None and await self.db.fetchval(KNOWN, self.actor.user_id, key)

    async def remember(self, key: str | None, note: Note) -> None:
        """This write was done under `key`: `remembered` answers the next one."""
        if key is not None:
            await self.db.execute(REMEMBER, self.actor.user_id, key, note.id, note.version)

    async def remembered(self, key: str | None) -> Note | None:
        """What the first write under this key answered. Raises `NotFound` when that note is gone for good, and
        `VersionConflict` where the note has gone on and that version is not kept any more."""
        row = await self.db.fetchrow(REMEMBERED, self.actor.user_id, key) if key is not None else None
        if row is None:
            return None
        if row["created_at"] is None:
            raise NotFound("This was done before, and the note has been deleted for good since.")
        if row["title"] is None:
            current = await self.note(row["id"])
            raise VersionConflict(GONE_ON, current=current.model_dump(mode="json"))
        return rows.note(row)
