"""Full-text search: the matching notes, their ranks, and an excerpt of each."""

# ruff: noqa: S608  (only fragments of SQL from these modules are put together; values are arguments)

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asyncpg.pool import Pool

from contracts.notes import NoteSummary
from notes_service.repository import note_columns
from notes_service.repository.connections import connection, transaction
from notes_service.search_query import required_phrases
from servicekit.sql import Statement

HEADLINE_CHARACTERS = 20_000
"""The part of a note in which excerpts are searched: for a match further down, the snippet shows the beginning."""

RANKED, RANKED_IF_READ = 200, 100
"""The number of matches that are ranked, separately for those in title or tags and for all. Fewer if the notes have to
be read to know whether they match."""

# Starting parallel workers would take longer than the search.
USE_INDEXES = Statement("SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0")

# The user as each index contains it; `user_id` itself selects the partition.
IN_HEADING, ANYWHERE = "ARRAY[user_id::text] @> ARRAY[:user_id::uuid::text]", "ARRAY[user_id] @> ARRAY[:user_id::uuid]"
HEADING_MATCHES = "heading @@ search_query(:language::text::regconfig, :query)"
WORDS_MAY_MATCH = "words @@ loose_query(:language::text::regconfig, :query)"
HAS_PHRASES = "pairs_of(words) @> pairs_in(:phrases)"
EXCLUDES, HAS_QUOTES = "strpos(:query, '-') > 0", """strpos(:query, '"') > 0"""


def _newest(conditions: Sequence[str], read_if: str) -> str:
    """The newest notes that match.

    OFFSET 0 makes PostgreSQL use the full-text index for any word, instead of scanning the notes by date. If `read_if`
    is true, the index gives candidates only, and notes are read until enough of them match.
    """
    return f"""
    SELECT note_id FROM (
        SELECT note_id, words FROM (
            SELECT note_id, words FROM note_words
            WHERE user_id = :user_id AND {" AND ".join(conditions)} OFFSET 0
        ) AS indexed ORDER BY note_id DESC OFFSET 0
    ) AS newest
    WHERE NOT ({read_if}) OR words @@ search_query(:language::text::regconfig, :query)
    LIMIT CASE WHEN {read_if} THEN {RANKED_IF_READ} ELSE {RANKED} END
    """


def _find(*more: str) -> Statement:
    """The best matches.

    Ranking a note requires reading all of its words, so only some matches of a common word are ranked: the newest
    notes, and the newest of those that have the word in title or tags. Other matches are left out.

    The index over words does not contain positions. With `HAS_PHRASES` in `more`, it is restricted to notes in which
    the words of the phrases are next to each other somewhere.

    Each half of the query is ranked separately, without exclusions: ts_rank counts a word and its prefix as one.
    """
    return Statement(f"""
    WITH found AS (
        ({_newest([IN_HEADING, HEADING_MATCHES], EXCLUDES)})
        UNION
        ({_newest([ANYWHERE, WORDS_MAY_MATCH, *more], HAS_QUOTES)})
    ), best AS (
        SELECT note_id, ts_rank(words, begun, 1) + ts_rank(words, in_any_form, 1) AS rank
        FROM found JOIN note_words USING (note_id), (
            SELECT querytree(begun_query(:query))::tsquery AS begun,
                   querytree(websearch_to_tsquery(:language::text::regconfig, :query))::tsquery AS in_any_form OFFSET 0
        ) AS wanted
        WHERE user_id = :user_id
        ORDER BY rank DESC, note_id DESC LIMIT :limit
    )
    SELECT {note_columns.SUMMARY}, left(body, {HEADLINE_CHARACTERS}) AS body, best.rank
    FROM best JOIN notes ON notes.user_id = :user_id AND notes.id = best.note_id
    ORDER BY rank DESC, notes.id DESC
    """)


FIND, FIND_PHRASES = _find(), _find(HAS_PHRASES)

# Based on exact matches of a word; if there are none, on matches of its other forms.
HEADLINES = Statement("""
SELECT CASE
    WHEN strpos(plain, :start) > 0 THEN plain
    ELSE ts_headline(:language::text::regconfig, text, search_query(:language::text::regconfig, :query), :options)
END
FROM unnest(:texts::text[]) WITH ORDINALITY AS texts (text, number),
     ts_headline('simple', text, search_query(:language::text::regconfig, :query), :options) AS plain
ORDER BY number
""")


@dataclass(frozen=True)
class SearchMatch:
    """A matching note. `body`: the part of its text from which the snippet is made. `rank`: higher is better."""

    note: NoteSummary
    body: str
    rank: float


class SearchRepository:
    def __init__(self, pool: Pool, language: str) -> None:
        self.pool = pool
        self.language = language

    async def find(self, user_id: str, query: str, limit: int) -> list[SearchMatch]:
        """The best matches outside the trash. `query` is normalized; without any word it has no matches."""
        async with transaction(self.pool) as db:
            await db.execute(*USE_INDEXES())
            rows: list[Any] = await db.fetch(*find_statement(user_id, self.language, query, limit))
        return [SearchMatch(note_columns.note_summary(row), row["body"], row["rank"]) for row in rows]

    async def headlines(self, query: str, texts: Sequence[str], start: str, stop: str) -> list[str]:
        """An excerpt of each folded text, with `start` and `stop` around its matches, if it has any."""
        options = f"StartSel={start}, StopSel={stop}, MinWords=15, MaxWords=35"
        statement = HEADLINES(start=start, language=self.language, query=query, options=options, texts=texts)
        async with connection(self.pool) as db:
            return [row[0] for row in await db.fetch(*statement)]


def find_statement(user_id: str, language: str, query: str, limit: int) -> tuple[Any, ...]:
    values = {"user_id": user_id, "language": language, "query": query, "limit": limit}
    phrases = required_phrases(query)
    return FIND_PHRASES(**values, phrases=phrases) if phrases else FIND(**values)
