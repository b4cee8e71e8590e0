"""Full-text search: which notes, how well they match, and the piece of each that shows it."""

# ruff: noqa: S608  (what is put together here are our own pieces of SQL; values are arguments)

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asyncpg.pool import Pool

from contracts.notes import NoteSummary
from notes_service.query import phrases_in
from notes_service.repository import rows
from notes_service.repository.connections import connection, transaction

HEADLINE_CHARACTERS = 20_000
"""A match further down in a long note is found, but its snippet shows the beginning."""

RANKED, RANKED_IF_READ = 200, 100
"""Matches that are ranked, of those with the words in title or tags and of all; where notes have to be read to know
whether they match."""

# Another process would take longer to join than the search takes.
BY_INDEX = "SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0"

# The user as each index has it; `user_id` itself says which partition.
IN_HEADING, ANYWHERE = "ARRAY[user_id::text] @> ARRAY[$1::uuid::text]", "ARRAY[user_id] @> ARRAY[$1::uuid]"
HAS_PHRASES = "AND pairs_of(words) @> pairs_in($5)"


def _newest(match: str, read_if: str) -> str:
    """The newest notes that match. OFFSET 0 makes PostgreSQL take the index over words, whatever the word, instead of
    walking through the notes. What the index cannot tell is then read from the notes themselves, until there are
    enough.
    """
    return f"""
    SELECT note_id FROM (
        SELECT note_id, words FROM (
            SELECT note_id, words FROM note_words
            WHERE user_id = $1 AND {match} OFFSET 0
        ) AS indexed ORDER BY note_id DESC OFFSET 0
    ) AS newest
    WHERE NOT ({read_if}) OR words @@ search_query($2::text::regconfig, $3)
    LIMIT CASE WHEN {read_if} THEN {RANKED_IF_READ} ELSE {RANKED} END
    """


def _find(more: str = "") -> str:
    """Ranking means reading all words of a note, so only some of a common word's matches are ranked: the newest notes,
    and the newest of those that have it in title or tags. What is left out may stand elsewhere in those. The index over
    all words does not know where a phrase stands; with `more`, it knows the notes that have its words side by side.
    Each half of the query ranks alone, as ts_rank takes a word and its beginning for one and the same, and without what
    is excluded.
    """
    return f"""
    WITH found AS (
        ({_newest(f"{IN_HEADING} AND heading @@ search_query($2::text::regconfig, $3)", "strpos($3, '-') > 0")})
        UNION
        ({_newest(f"{ANYWHERE} AND words @@ loose_query($2::text::regconfig, $3) {more}", '''strpos($3, '"') > 0''')})
    ), best AS (
        SELECT note_id, ts_rank(words, begun, 1) + ts_rank(words, in_any_form, 1) AS rank
        FROM found JOIN note_words USING (note_id), (
            SELECT querytree(begun_query($3))::tsquery AS begun,
                   querytree(websearch_to_tsquery($2::text::regconfig, $3))::tsquery AS in_any_form OFFSET 0
        ) AS wanted
        WHERE user_id = $1
        ORDER BY rank DESC, note_id DESC LIMIT $4
    )
    SELECT {rows.SUMMARY}, left(body, {HEADLINE_CHARACTERS}) AS body, best.rank
    FROM best JOIN notes ON notes.user_id = $1 AND notes.id = best.note_id
    ORDER BY rank DESC, notes.id DESC
    """


FIND, FIND_PHRASES = _find(), _find(HAS_PHRASES)

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
        async with transaction(self.pool) as db:
            await db.execute(BY_INDEX)
            asked = (user_id, self.language, query, limit)
            phrases = phrases_in(query)
            records: list[Any] = await (db.fetch(FIND_PHRASES, *asked, phrases) if phrases else db.fetch(FIND, *asked))
        return [Found(rows.summary(record), record["body"], record["rank"]) for record in records]

    async def headlines(self, query: str, texts: Sequence[str], start: str, stop: str) -> list[str]:
        """A piece of each folded text with `start` and `stop` around the matches, of which it may have none."""
        options = f"StartSel={start}, StopSel={stop}, MinWords=15, MaxWords=35"
        async with connection(self.pool) as db:
            records = await db.fetch(HEADLINES, self.language, query, texts, options, start)
        return [record[0] for record in records]
