"""What the embeddings model made of notes: a vector for each piece, and its signs, by which the nearest are found.

All of a user's vectors would be too much to read for a search (3 KB each), the signs are not (0.2 KB each, in the
index): the 100 nearest by signs are compared by their vectors. In an index over all users' vectors one would read past
everybody else's to find one user's.
"""

# ruff: noqa: S608  (what is put together here are our own pieces of SQL; values are arguments)

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asyncpg.pool import Pool

from notes_service.repository import rows
from notes_service.repository.connections import connection, transaction
from notes_service.repository.searching import Found

PIECE_CHARACTERS = 2000
COMPARED = 100
LOOK_SECONDS = 60.0
"""Looking through a million notes for one that is not learnt takes seconds."""

READY = "SELECT EXISTS (SELECT FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typname = 'halfvec')"
ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(hashtext('notes meanings'))"
TABLE = """
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
"""

MINE = "SELECT pg_try_advisory_xact_lock(hashtext('notes meanings to catch up'))"
UNLEARNT = """
SELECT n.user_id::text, n.id::text
FROM notes n LEFT JOIN note_meanings m
     ON m.user_id = n.user_id AND m.note_id = n.id AND m.piece = 0 AND m.model = $1
WHERE n.deleted_at IS NULL AND m.version IS DISTINCT FROM n.version AND (n.user_id, n.id) > ($2, $3)
ORDER BY n.user_id, n.id LIMIT $4
"""
TEXTS = """
SELECT n.user_id::text, n.id::text, n.title, n.tags, n.body, n.version,
       extract(epoch FROM now() - n.updated_at)::float AS age, m.digest, m.version AS learnt
FROM unnest($1::uuid[], $2::uuid[]) AS wanted (user_id, id) JOIN notes n USING (user_id, id)
LEFT JOIN note_meanings m ON m.user_id = n.user_id AND m.note_id = n.id AND m.piece = 0 AND m.model = $3
WHERE n.deleted_at IS NULL
"""
# one replica at a time, and no new version meanwhile
STILL = "SELECT version = $3 FROM notes WHERE user_id = $1 AND id = $2 FOR NO KEY UPDATE"
SAME = "UPDATE note_meanings SET version = $3 WHERE user_id = $1 AND note_id = $2"
FORGET = "DELETE FROM note_meanings WHERE user_id = $1 AND note_id = $2"
KEEP = """
INSERT INTO note_meanings (user_id, note_id, piece, start, version, model, digest, signs, vector)
SELECT $1, $2, number - 1, start, $3, $4, $5, public.binary_quantize(vector), vector
FROM unnest($6::integer[], $7::text[]) WITH ORDINALITY AS learnt (start, written, number),
     LATERAL (SELECT written::public.halfvec AS vector) AS vectors
"""

# The vector is read from its text once, not for every row.
NEAREST = f"""
WITH wanted AS MATERIALIZED (
    SELECT $3::text::public.halfvec AS vector
), near AS MATERIALIZED (
    SELECT note_id, piece FROM note_meanings WHERE user_id = $1 AND model = $2
    ORDER BY signs OPERATOR(public.<~>) (SELECT public.binary_quantize(vector) FROM wanted) LIMIT {COMPARED}
), best AS (
    SELECT DISTINCT ON (note_id) note_id, start, likeness
    FROM near JOIN note_meanings AS m USING (note_id, piece), wanted,
         LATERAL (SELECT -(m.vector OPERATOR(public.<#>) wanted.vector) AS likeness) AS compared
    WHERE user_id = $1 ORDER BY note_id, likeness DESC
)
SELECT {rows.SUMMARY}, substr(body, start + 1, {PIECE_CHARACTERS}) AS body, likeness
FROM best JOIN notes ON notes.user_id = $1 AND notes.id = best.note_id
WHERE deleted_at IS NULL AND likeness > 0 ORDER BY likeness DESC, notes.id DESC LIMIT $4
"""


@dataclass(frozen=True)
class Text:
    """A note outside the trash as it is now. `digest`, `learnt`: the text and the version that were learnt, if any;
    `age`: seconds since its last change."""

    user_id: str
    id: str
    title: str
    tags: list[str]
    body: str
    version: int
    age: float
    digest: UUID | None
    learnt: int | None


class Meanings:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def prepare(self) -> bool:
        """Makes the table where there is none yet; False where the database has no pgvector."""
        async with transaction(self.pool) as db:
            if not await db.fetchval(READY):
                return False
            await db.execute(ONE_AT_A_TIME)
            await db.execute(TABLE)
        return True

    async def unlearnt(self, model: str, after: tuple[str, str], limit: int) -> list[tuple[str, str]]:
        """The next notes of all users, as user and id, of which this version is not learnt."""
        async with connection(self.pool) as db:
            records = await db.fetch(UNLEARNT, model, *after, limit, timeout=LOOK_SECONDS)
        return [(record["user_id"], record["id"]) for record in records]

    async def texts(self, model: str, keys: Sequence[tuple[str, str]]) -> list[Text]:
        """Those of the notes, given as user and id, that are not in the trash."""
        async with connection(self.pool) as db:
            records = await db.fetch(TEXTS, [user for user, _ in keys], [id_ for _, id_ in keys], model)
        return [Text(**record) for record in records]

    async def keep(self, text: Text, model: str, digest: UUID, starts: Sequence[int], vectors: Sequence[str]) -> None:
        """In the place of what was learnt of the note before. Nothing where the note has changed meanwhile: its next
        change is learnt next."""
        key = text.user_id, text.id
        async with transaction(self.pool) as db:
            if await db.fetchval(STILL, *key, text.version):
                await db.execute(FORGET, *key)
                await db.execute(KEEP, *key, text.version, model, digest, starts, vectors)

    async def same(self, text: Text) -> None:
        """The version has the same text as the one that is learnt."""
        async with transaction(self.pool) as db:
            await db.execute(SAME, text.user_id, text.id, text.version)

    async def near(self, user_id: str, model: str, vector: str, limit: int) -> list[Found]:
        """The notes outside the trash that are most like the vector, each with the piece of its text that is."""
        async with connection(self.pool) as db:
            records: list[Any] = await db.fetch(NEAREST, user_id, model, vector, limit)
        return [Found(rows.summary(record), record["body"], record["likeness"]) for record in records]


def written(vector: Sequence[float]) -> str:
    """As pgvector reads it, with what a half-precision number can hold."""
    return "[" + ",".join(f"{number:.5g}" for number in vector) + "]"
