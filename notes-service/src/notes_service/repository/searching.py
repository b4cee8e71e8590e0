"""Full-text search: which notes, how well they match, and the piece of each that shows it."""

# ruff: noqa: S608  (what is put together here are our own pieces of SQL; values are arguments)

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asyncpg.pool import Pool
from contracts.notes import NoteSummary

from notes_service.repository import rows
from notes_service.repository.connections import connection

HEADLINE_CHARACTERS = 20_000
"""A match further down in a long note is found, but its snippet shows the beginning."""

FIND = f"""
WITH found AS (
    SELECT note_id, ts_rank(words, query, 1) AS rank
    FROM note_words, search_query($2::text::regconfig, $3) AS query
    WHERE user_id = $1 AND words @@ query
)
SELECT {rows.SUMMARY}, left(body, {HEADLINE_CHARACTERS}) AS body, found.rank
FROM found JOIN notes ON notes.user_id = $1 AND notes.id = found.note_id
WHERE deleted_at IS NULL
ORDER BY rank DESC, updated_at DESC, id DESC LIMIT $4
"""

# a match by a word as it stands; else one by another form of it
HEADLINES = """
SELECT CASE WHEN strpos(plain, $5) > 0 THEN plain
            ELSE ts_headline($1::text::regconfig, text, search_query($1::text::regconfig, $2), $4) END
FROM unnest($3::text[]) WITH ORDINALITY AS texts (text, number),
     ts_headline('simple', text, search_query($1::text::regconfig, $2), $4) AS plain
ORDER BY number
"""


@dataclass(frozen=True)
class Found:
    note: NoteSummary
    body: str
    rank: float


class Searching:
    def __init__(self, pool: Pool, language: str) -> None:
        self.pool = pool
        self.language = language

    async def find(self, user_id: str, query: str, limit: int) -> list[Found]:
        """The best matches outside the trash. `query` is folded; one that asks for nothing finds nothing."""
        async with connection(self.pool) as db:
            records: list[Any] = await db.fetch(FIND, user_id, self.language, query, limit)
        return [Found(rows.summary(record), record["body"], record["rank"]) for record in records]

    async def headlines(self, query: str, texts: Sequence[str], start: str, stop: str) -> list[str]:
        """A piece of each folded text with `start` and `stop` around the matches, of which it may have none."""
        options = f"StartSel={start}, StopSel={stop}, MinWords=15, MaxWords=35"
        async with connection(self.pool) as db:
            records = await db.fetch(HEADLINES, self.language, query, texts, options, start)
        return [record[0] for record in records]
