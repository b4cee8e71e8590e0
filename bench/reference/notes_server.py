"""`python -m bench.reference.notes_server DATABASE_URL`: the reference of `notes`, one FastAPI process with asyncpg.

For each request it executes the same statements on the same tables as the notes service, and nothing else: no sign-in,
no broker, no second process, no preparation of text for search in other scripts. `X-User` names the user. The
statements are duplicated on purpose, so that the reference does not change when Inkstream does.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import orjson
from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel, Field

from bench.reference.asgi import serve

SCHEMA = "notes"
LANGUAGE = "english"
CONNECTIONS = 10
START_SECONDS = 30.0
ACTOR = {"kind": "user"}

HEAD = (
    "notes.id::text, title, tags, pinned, archived, notes.version, notes.created_at, updated_at, deleted_at, updated_by"
)
NOTE, SUMMARY = f"{HEAD}, body", f"{HEAD}, preview"

ONE = f"SELECT {NOTE} FROM notes WHERE user_id = $1 AND id = $2"
LIST = f"""
SELECT {SUMMARY} FROM notes WHERE user_id = $1 AND deleted_at IS NULL AND NOT archived
ORDER BY pinned DESC, updated_at DESC, id DESC LIMIT $2
"""
LOCK = "SELECT cursor FROM feed WHERE user_id = $1 FOR UPDATE"
BEGIN_FEED = "INSERT INTO feed (user_id) VALUES ($1) ON CONFLICT DO NOTHING"
FORGET_WORDS = "DELETE FROM note_words WHERE user_id = $1 AND note_id = $2"
SAVE = f"""
WITH saved AS (
    INSERT INTO notes AS notes (user_id, id, title, title_key, body, preview, tags, pinned, archived, version,
                                created_at, updated_at, updated_by)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, statement_timestamp(), statement_timestamp(), $11)
    ON CONFLICT (user_id, id) DO UPDATE SET
        title = excluded.title, title_key = excluded.title_key, body = excluded.body, preview = excluded.preview,
        tags = excluded.tags, pinned = excluded.pinned, archived = excluded.archived, version = excluded.version,
        updated_at = excluded.updated_at, updated_by = excluded.updated_by
    RETURNING *
), revision AS (
    INSERT INTO revisions (user_id, note_id, version, op, title, body, tags, pinned, archived, actor, created_at)
    SELECT user_id, id, version, $12, title, body, tags, pinned, archived, updated_by, updated_at FROM saved
), next AS (
    UPDATE feed SET cursor = cursor + 1, notes = notes + $13, bytes = bytes + $14 WHERE user_id = $1 RETURNING cursor
), change AS (
    INSERT INTO changes (user_id, cursor, op, note_id, version, actor, created_at, published)
    SELECT user_id, next.cursor, $12, id, version, updated_by, updated_at, true FROM saved, next
), words AS (
    INSERT INTO note_words (user_id, note_id, heading, words)
    SELECT user_id, id, heading, heading || setweight(words_of($15::text::regconfig, body), 'C')
    FROM saved, heading_of($15::text::regconfig, title, array_to_string(tags, ' ')) AS heading
)
SELECT {NOTE} FROM saved AS notes
"""
BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0"
FIND = f"""
WITH found AS (
    (SELECT note_id FROM (
        SELECT note_id FROM note_words
        WHERE user_id = $1 AND ARRAY[user_id::text] @> ARRAY[$1::uuid::text]
              AND heading @@ search_query($2::text::regconfig, $3) OFFSET 0
    ) AS matches ORDER BY note_id DESC LIMIT 200)
    UNION
    (SELECT note_id FROM (
        SELECT note_id FROM note_words
        WHERE user_id = $1 AND ARRAY[user_id] @> ARRAY[$1::uuid]
              AND words @@ loose_query($2::text::regconfig, $3) OFFSET 0
    ) AS matches ORDER BY note_id DESC LIMIT 200)
), best AS (
    SELECT note_id, ts_rank(words, begun, 1) + ts_rank(words, in_any_form, 1) AS rank
    FROM found JOIN note_words USING (note_id), (
        SELECT querytree(begun_query($3))::tsquery AS begun,
               querytree(websearch_to_tsquery($2::text::regconfig, $3))::tsquery AS in_any_form OFFSET 0
    ) AS wanted
    WHERE user_id = $1 ORDER BY rank DESC, note_id DESC LIMIT $4
)
SELECT {SUMMARY}, left(body, 20000) AS body, best.rank
FROM best JOIN notes ON notes.user_id = $1 AND notes.id = best.note_id ORDER BY rank DESC, notes.id DESC
"""
HEADLINES = """
SELECT CASE WHEN strpos(plain, '<mark>') > 0 THEN plain
            ELSE ts_headline($1::text::regconfig, text, search_query($1::text::regconfig, $2), $4) END
FROM unnest($3::text[]) WITH ORDINALITY AS texts (text, number),
     ts_headline('simple', text, search_query($1::text::regconfig, $2), $4) AS plain
ORDER BY number
"""
OPTIONS = "StartSel=<mark>, StopSel=</mark>, MinWords=15, MaxWords=35"


class NoteHead(BaseModel):
    id: str
    title: str
    tags: list[str]
    pinned: bool
    archived: bool
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    updated_by: dict[str, Any]


class Note(NoteHead):
    body: str


class Summary(NoteHead):
    preview: str


class NewNote(BaseModel):
    title: str = Field(min_length=1, max_length=200)
    body: str = ""
    tags: list[str] = []


class Patch(BaseModel):
    title: str | None = None
    body: str | None = None
    tags: list[str] | None = None


class Page(BaseModel):
    notes: list[Summary]
    next_cursor: str | None = None


class Hit(BaseModel):
    note: Summary
    snippet: str
    rank: float


class Hits(BaseModel):
    results: list[Hit]


async def _user(x_user: Annotated[UUID, Header()]) -> UUID:
    return x_user


async def _pool(request: Request) -> Any:
    return request.state.pool


User = Annotated[UUID, Depends(_user)]
Pool = Annotated[Any, Depends(_pool)]


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=_dump, decoder=orjson.loads, schema="pg_catalog")


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


async def _no_reset(_: Any) -> None:
    """Skips asyncpg's reset query, which would be one more round trip per request."""


async def _connected(dsn: str) -> Any:
    """Connects, waiting for a database that is still starting."""
    settings = {"search_path": SCHEMA}
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                return await asyncpg.create_pool(
                    dsn, min_size=1, max_size=CONNECTIONS, init=_prepare, reset=_no_reset, server_settings=settings
                )
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.02)


def application(dsn: str) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[dict[str, Any]]:
        pool = await _connected(dsn)
        yield {"pool": pool}
        await pool.close()

    app = FastAPI(lifespan=lifespan)

    @app.post("/api/notes", status_code=201)
    async def create(new: NewNote, user: User, pool: Pool) -> Note:
        async with pool.acquire() as db, db.transaction():
            if await db.fetchval(LOCK, user) is None:
                await db.execute(BEGIN_FEED, user)
                await db.fetchval(LOCK, user)
            return await _save(db, user, _new_id(), new.title, new.body, new.tags, 1, "create")

    @app.patch("/api/notes/{id}")
    async def patch(id: UUID, changed: Patch, user: User, pool: Pool) -> Note:  # noqa: A002
        async with pool.acquire() as db, db.transaction():
            await db.fetchval(LOCK, user)
            row = await db.fetchrow(ONE, user, id)
            if row is None:
                raise HTTPException(404)
            before = Note.model_validate(dict(row))
            note = before.model_copy(update=changed.model_dump(exclude_none=True))
            await db.execute(FORGET_WORDS, user, id)
            more = len(note.body.encode()) - len(before.body.encode())
            return await _save(db, user, id, note.title, note.body, note.tags, note.version + 1, "update", 0, more)

    @app.get("/api/notes")
    async def page(user: User, pool: Pool, limit: int = 50) -> Page:
        async with pool.acquire() as db:
            rows = await db.fetch(LIST, user, limit + 1)
        return Page(notes=[Summary.model_validate(dict(row)) for row in rows[:limit]])

    @app.get("/api/notes/search")
    async def search(q: str, user: User, pool: Pool, limit: int = 20) -> Hits:
        async with pool.acquire() as db, db.transaction():
            await db.execute(BY_INDEX)
            rows = await db.fetch(FIND, user, LANGUAGE, q, limit)
        texts = [row["body"] for row in rows] + [row["title"] for row in rows]
        async with pool.acquire() as db:
            lines = [row[0] for row in await db.fetch(HEADLINES, LANGUAGE, q, texts, OPTIONS)]
        return Hits(
            results=[
                Hit(note=Summary.model_validate(dict(row)), snippet=line, rank=row["rank"])
                for row, line in zip(rows, lines, strict=False)
            ]
        )

    @app.get("/api/notes/{id}")
    async def get(id: UUID, user: User, pool: Pool) -> Note:  # noqa: A002
        async with pool.acquire() as db:
            row = await db.fetchrow(ONE, user, id)
        if row is None:
            raise HTTPException(404)
        return Note.model_validate(dict(row))

    return app


async def _save(
    db: Any,
    user: UUID,
    note_id: UUID,
    title: str,
    body: str,
    tags: list[str],
    version: int,
    op: str,
    more_notes: int = 1,
    more_bytes: int | None = None,
) -> Note:
    row = await db.fetchrow(
        SAVE,
        *(user, note_id, title, title.casefold(), body, body[:200], tags, False, False, version, ACTOR, op),
        *(more_notes, len(body.encode()) if more_bytes is None else more_bytes, LANGUAGE),
    )
    return Note.model_validate(dict(row))


def _new_id() -> UUID:
    """A UUID of version 7: ordered by time, as in the notes service."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    number = milliseconds << 80 | random
    number = number & ~(0xF << 76) | 0x7 << 76
    return UUID(int=number & ~(0x3 << 62) | 0x2 << 62)


if __name__ == "__main__":
    serve(application(sys.argv[1]))
