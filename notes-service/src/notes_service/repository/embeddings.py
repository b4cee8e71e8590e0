"""The embeddings of notes: a vector for each chunk of a note, and the vector's signs.

The nearest chunks are found in two steps. Reading all vectors of a user (3 KB each) would take too long for one search;
reading their signs (0.2 KB each, in the primary key's index) does not. So the `CANDIDATES` chunks that are nearest by
signs are compared by their vectors. An index over the vectors of all users would read those of other users as well.
"""

# ruff: noqa: S608  (only fragments of SQL from these modules are put together; values are arguments)

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asyncpg.pool import Pool

from notes_service.repository import note_columns
from notes_service.repository.connections import connection, transaction
from notes_service.repository.search import SearchMatch
from servicekit.sql import Statement

SHOWN_CHARACTERS = 2000
"""The length of the text, from the start of the found chunk, from which a snippet is made."""
CANDIDATES = 100
SCAN_SECONDS = 60.0
"""The timeout for finding notes that are not indexed: scanning a million notes takes seconds."""

HAS_PGVECTOR = Statement(
    "SELECT EXISTS (SELECT FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typname = 'halfvec')"
)
LOCK_TABLE = Statement("SELECT pg_advisory_xact_lock(hashtext('notes meanings'))")
CREATE_TABLE = Statement("""
CREATE TABLE IF NOT EXISTS note_meanings (
    user_id uuid NOT NULL,
    note_id uuid NOT NULL,
    piece integer NOT NULL,
    start integer NOT NULL,
    version integer NOT NULL,
    model text NOT NULL,
    digest uuid NOT NULL,
    signs bit varying NOT NULL,
    vector public.halfvec STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (user_id, note_id, piece) INCLUDE (model, signs),
    FOREIGN KEY (user_id, note_id) REFERENCES notes ON DELETE CASCADE
)
""")

TRY_BACKFILL_LOCK = Statement("SELECT pg_try_advisory_xact_lock(hashtext('notes meanings to catch up'))")
NOT_INDEXED = Statement("""
SELECT n.user_id::text, n.id::text
FROM notes n LEFT JOIN note_meanings m
     ON m.user_id = n.user_id AND m.note_id = n.id AND m.piece = 0 AND m.model = :model
WHERE n.deleted_at IS NULL AND m.version IS DISTINCT FROM n.version AND (n.user_id, n.id) > (:after_user, :after_note)
      AND (n.user_id, n.id) <= (:last_user, :last_note)
ORDER BY n.user_id, n.id LIMIT :limit
""")
TEXTS = Statement("""
SELECT n.user_id::text, n.id::text, n.title, n.tags, n.body, n.version,
       extract(epoch FROM now() - n.updated_at)::float AS age, m.digest AS indexed_digest, m.version AS indexed_version
FROM unnest(:users::uuid[], :notes::uuid[]) AS wanted (user_id, id) JOIN notes n USING (user_id, id)
LEFT JOIN note_meanings m ON m.user_id = n.user_id AND m.note_id = n.id AND m.piece = 0 AND m.model = :model
WHERE n.deleted_at IS NULL
""")
# Locks the note, so that one replica at a time indexes it, and no new version is written meanwhile.
IS_CURRENT = Statement("""
SELECT version = :version FROM notes WHERE user_id = :user_id AND id = :note_id FOR NO KEY UPDATE
""")
SET_VERSION = Statement("UPDATE note_meanings SET version = :version WHERE user_id = :user_id AND note_id = :note_id")
DELETE = Statement("DELETE FROM note_meanings WHERE user_id = :user_id AND note_id = :note_id")
INSERT = Statement("""
INSERT INTO note_meanings (user_id, note_id, piece, start, version, model, digest, signs, vector)
SELECT :user_id, :note_id, number - 1, start, :version, :model, :digest, public.binary_quantize(vector), vector
FROM unnest(:starts::integer[], :vectors::text[]) WITH ORDINALITY AS chunks (start, literal, number),
     LATERAL (SELECT literal::public.halfvec AS vector) AS vectors
""")

# The vector is parsed once, not for every row.
NEAREST = Statement(f"""
WITH wanted AS MATERIALIZED (
    SELECT :vector::text::public.halfvec AS vector
), near AS MATERIALIZED (
    SELECT note_id, piece FROM note_meanings WHERE user_id = :user_id AND model = :model
    ORDER BY signs OPERATOR(public.<~>) (SELECT public.binary_quantize(vector) FROM wanted) LIMIT {CANDIDATES}
), best AS (
    SELECT DISTINCT ON (note_id) note_id, start, similarity
    FROM near JOIN note_meanings AS m USING (note_id, piece), wanted,
         LATERAL (SELECT -(m.vector OPERATOR(public.<#>) wanted.vector) AS similarity) AS compared
    WHERE user_id = :user_id ORDER BY note_id, similarity DESC
)
SELECT {note_columns.SUMMARY}, substr(body, start + 1, {SHOWN_CHARACTERS}) AS body, similarity
FROM best JOIN notes ON notes.user_id = :user_id AND notes.id = best.note_id
WHERE deleted_at IS NULL AND similarity > 0 ORDER BY similarity DESC, notes.id DESC LIMIT :limit
""")

NoteKey = tuple[str, str]
"""A user's id and the id of a note of theirs."""


@dataclass(frozen=True)
class NoteText:
    """The current version of a note outside the trash. `age`: seconds since its last change. `indexed_digest` and
    `indexed_version`: of the text that is indexed for this model, or None."""

    user_id: str
    id: str
    title: str
    tags: list[str]
    body: str
    version: int
    age: float
    indexed_digest: UUID | None
    indexed_version: int | None


class EmbeddingRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def prepare(self) -> bool:
        """Creates the table if it does not exist. False if the database has no pgvector."""
        async with transaction(self.pool) as db:
            if not await db.fetchval(*HAS_PGVECTOR()):
                return False
            await db.execute(*LOCK_TABLE())
            await db.execute(*CREATE_TABLE())
        return True

    async def not_indexed(self, model: str, after: NoteKey, last: NoteKey, limit: int) -> list[NoteKey]:
        """The next notes of all users, by user and id, whose current version is not in the index: behind `after`, up to
        `last`."""
        statement = NOT_INDEXED(
            model=model,
            after_user=after[0],
            after_note=after[1],
            last_user=last[0],
            last_note=last[1],
            limit=limit,
        )
        async with connection(self.pool) as db:
            rows = await db.fetch(*statement, timeout=SCAN_SECONDS)
        return [(row["user_id"], row["id"]) for row in rows]

    async def texts(self, model: str, keys: Sequence[NoteKey]) -> list[NoteText]:
        """The texts of those of the notes that are outside the trash."""
        statement = TEXTS(users=[user for user, _ in keys], notes=[note for _, note in keys], model=model)
        async with connection(self.pool) as db:
            return [NoteText(**row) for row in await db.fetch(*statement)]

    async def replace(
        self, text: NoteText, model: str, digest: UUID, starts: Sequence[int], vectors: Sequence[str]
    ) -> None:
        """Replaces the note's indexed chunks by those of this version. `starts`: where each chunk begins in the text.
        Does nothing if the note has changed meanwhile: its new version is indexed next."""
        key = {"user_id": text.user_id, "note_id": text.id}
        async with transaction(self.pool) as db:
            if await db.fetchval(*IS_CURRENT(**key, version=text.version)):
                await db.execute(*DELETE(**key))
                await db.execute(
                    *INSERT(**key, version=text.version, model=model, digest=digest, starts=starts, vectors=vectors)
                )

    async def set_version(self, text: NoteText) -> None:
        """Records that this version has the same text as the indexed one."""
        async with transaction(self.pool) as db:
            await db.execute(*SET_VERSION(user_id=text.user_id, note_id=text.id, version=text.version))

    async def nearest(self, user_id: str, model: str, vector: str, limit: int) -> list[SearchMatch]:
        """The notes outside the trash that are most similar to the vector, each with the matching part of its text."""
        statement = NEAREST(user_id=user_id, model=model, vector=vector, limit=limit)
        async with connection(self.pool) as db:
            rows: list[Any] = await db.fetch(*statement)
        return [SearchMatch(note_columns.note_summary(row), row["body"], row["similarity"]) for row in rows]


def vector_literal(vector: Sequence[float]) -> str:
    """A vector in pgvector's text format, with as many digits as half precision has."""
    return "[" + ",".join(f"{number:.5g}" for number in vector) + "]"
