"""Every write of a note: the note, its revision, the change and its place in the user's order, in one transaction."""

# ruff: noqa: S608  (what is put together here are our own pieces of SQL; values are arguments)

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from asyncpg.pool import Pool
from contracts.actor import Actor
from contracts.errors import NotFound
from contracts.notes import ChangeOp, Note

from notes_service.draft import Draft
from notes_service.folding import composed, fold, sort_key
from notes_service.plain_text import preview
from notes_service.repository import rows
from notes_service.repository.connections import transaction

LOCK = "SELECT 1 FROM feed WHERE user_id = $1 FOR UPDATE"
BEGIN_FEED = "INSERT INTO feed (user_id) VALUES ($1) ON CONFLICT DO NOTHING"

NOTE = f"SELECT {rows.NOTE} FROM notes WHERE user_id = $1 AND id = $2"

# The first version and every later one. The time is this statement's, after the lock: a user's times never go back.
SAVE = f"""
WITH saved AS (
    INSERT INTO notes AS notes (user_id, id, title, title_key, body, preview, tags, pinned, archived, version,
                                created_at, updated_at, deleted_at, updated_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, statement_timestamp(), statement_timestamp(),
            CASE WHEN $11 THEN statement_timestamp() END, $12)
    ON CONFLICT (user_id, id) DO UPDATE SET
        title = excluded.title, title_key = excluded.title_key, body = excluded.body, preview = excluded.preview,
        tags = excluded.tags, pinned = excluded.pinned, archived = excluded.archived, version = excluded.version,
        updated_at = excluded.updated_at, deleted_at = excluded.deleted_at, updated_by = excluded.updated_by
    RETURNING *
), revision AS (
    INSERT INTO revisions (user_id, note_id, version, op, title, body, tags, pinned, archived, deleted_at, actor,
                           created_at)
    SELECT user_id, id, version, $13, title, body, tags, pinned, archived, deleted_at, updated_by, updated_at FROM saved
), next AS (
    UPDATE feed SET cursor = cursor + 1 WHERE user_id = $1 RETURNING cursor
), change AS (
    INSERT INTO changes (user_id, cursor, op, note_id, version, actor, created_at)
    SELECT user_id, next.cursor, $13, id, version, updated_by, updated_at FROM saved, next
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
REMEMBERED = """
SELECT k.note_id::text AS id, r.title, r.body, r.tags, r.pinned, r.archived, k.version, n.created_at,
       r.created_at AS updated_at, r.deleted_at, r.actor AS updated_by
FROM idempotency k
LEFT JOIN notes n ON (n.user_id, n.id) = (k.user_id, k.note_id)
LEFT JOIN revisions r ON (r.user_id, r.note_id, r.version) = (k.user_id, k.note_id, k.version)
WHERE k.user_id = $1 AND k.key = $2
"""


@asynccontextmanager
async def writing(pool: Pool, actor: Actor, language: str) -> AsyncGenerator["Writing"]:
    """A transaction that holds the user's feed: until it ends nobody else writes a note of this user."""
    async with transaction(pool) as db:
        if await db.fetchval(LOCK, actor.user_id) is None:
            await db.execute(BEGIN_FEED, actor.user_id)
            await db.fetchval(LOCK, actor.user_id)
        yield Writing(db, actor, language)


@dataclass
class Writing:
    db: Any
    actor: Actor
    language: str
    saved: bool = False
    """Whether there is a change to publish once the transaction has ended."""

    async def note(self, note_id: str) -> Note:
        """In the trash or not. Raises `NotFound`."""
        row = await self.db.fetchrow(NOTE, self.actor.user_id, note_id)
        if row is None:
            raise NotFound("There is no such note.")
        return rows.note(row)

    async def save(self, op: ChangeOp, draft: Draft, *, reworded: bool) -> Note:
        """Stores the next version. `reworded`: search does not know its words yet. It finds nothing in the trash."""
        if op == "delete" or (op == "update" and reworded):
            await self.db.execute(FORGET_WORDS, self.actor.user_id, draft.id)
        actor = self.actor.public().model_dump(exclude_none=True)
        row = await self.db.fetchrow(
            SAVE,
            *(self.actor.user_id, draft.id, draft.title, sort_key(draft.title), draft.body, preview(draft.body)),
            *(draft.tags, draft.pinned, draft.archived, draft.version + 1, op == "delete", actor, op),
            *((self.language, *(fold(composed(text)) for text in draft.searched)) if reworded else (None,) * 4),
        )
        self.saved = True
        return rows.note(row)

    async def remember(self, key: str | None, note: Note) -> None:
        """This write was done under `key`: `remembered` answers the next one."""
        if key is not None:
            await self.db.execute(REMEMBER, self.actor.user_id, key, note.id, note.version)

    async def remembered(self, key: str | None) -> Note | None:
        """What the first write under this key answered. Raises `NotFound` when that note is gone for good."""
        row = await self.db.fetchrow(REMEMBERED, self.actor.user_id, key) if key is not None else None
        if row is None:
            return None
        if row["title"] is None:
            raise NotFound("This was done before, and the note has been deleted for good since.")
        return rows.note(row)
