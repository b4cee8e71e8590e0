"""Full-text search: the matching notes, their ranks, and an excerpt of each.

**Invariant: a search costs no more than its time limits, whatever the notes and the query.** Matches are found by the
index, and a bounded number of them is read and ranked; ranking and excerpts look for any of the words, which takes time
in proportion to the text: for all of them at once PostgreSQL compares each place of a word with each place of every
other. What still takes too long is ended by the database, and the search has a simpler result: the newest matches
unranked, notes without excerpts.

The ids of all matches are found for every page: a page is a section of one ranking, not the next rows after a rank.
"""

# ruff: noqa: S608  (only fragments of SQL from these modules are put together; values are arguments)

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import structlog
from asyncpg.pool import Pool

from contracts.notes import NoteSummary
from notes_service.repository import note_columns
from notes_service.repository.connections import connection, transaction
from notes_service.search_query import required_phrases
from servicekit.sql import Statement

log = structlog.stdlib.get_logger()

HEADLINE_CHARACTERS = 20_000
"""The part of a note in which excerpts are searched: for a match further down, the snippet shows the beginning."""

RANKED, RANKED_IF_READ = 200, 100
"""The number of matches that are ranked, separately for those in title or tags and for all. Fewer if the notes have to
be read to know whether they match."""
READ = 2_000
"""The number of candidates that are looked at, and read if that is needed to know whether they match: the newest."""
FIND_MS, FIND_UNRANKED_MS, HEADLINES_MS = 1_000, 600, 600
"""Time limits in the database. All three are less than a caller waits."""
HEADLINES_AT_ONCE = 20

# Starting parallel workers would take longer than the search.
USE_INDEXES = Statement("SET LOCAL enable_seqscan = off; SET LOCAL max_parallel_workers_per_gather = 0")
LIMIT_TIME = Statement("SELECT set_config('statement_timeout', :milliseconds::int::text, true)")

# The user as each index contains it; `user_id` itself selects the partition.
IN_HEADING, ANYWHERE = "ARRAY[user_id::text] @> ARRAY[:user_id::uuid::text]", "ARRAY[user_id] @> ARRAY[:user_id::uuid]"
WORDS_MAY_MATCH = "words @@ loose_query(:language::text::regconfig, :query)"
HAS_PHRASES = "pairs_of(words) @> pairs_in(:phrases)"
QUERY = "search_query(:language::text::regconfig, :query)"
HEADING_MATCHES = f"heading @@ {QUERY}"
EXCLUDES, HAS_QUOTES = "strpos(:query, '-') > 0", """strpos(:query, '"') > 0"""


def _any_of(query: str) -> str:
    """For any of the words that a query wants, without what it excludes."""
    return rf"regexp_replace(querytree({query}), '&|<(-|\d+)>', '|', 'g')::tsquery"


def _candidates(conditions: Sequence[str]) -> str:
    """The newest notes that match as far as the index can tell.

    OFFSET 0 makes PostgreSQL use the full-text index for any word, instead of scanning the notes by date.
    """
    return f"""
    SELECT note_id, words FROM (
        SELECT note_id, words FROM note_words
        WHERE user_id = :user_id AND {" AND ".join(conditions)} OFFSET 0
    ) AS indexed ORDER BY note_id DESC LIMIT {READ}
    """


def _ranked(read_if: str) -> str:
    return f"LIMIT CASE WHEN {read_if} THEN {RANKED_IF_READ} ELSE {RANKED} END"


def _find(*more: str) -> Statement:
    """The ids of the matches, best first: the ranked ones, then the others from the newest on, with rank 0.

    Ranking a note requires reading all of its words, so only some matches of a common word are ranked: the newest
    notes, and the newest of those that have the word in title or tags. If the index gives candidates only, notes are
    read in this order (a CTE keeps it) until enough of them match, and the others are left out.

    The index over words does not contain positions. With `HAS_PHRASES` in `more`, it is restricted to notes in which
    the words of the phrases are next to each other somewhere.

    Each half of the query is ranked separately, without exclusions: ts_rank counts a word and its prefix as one. The
    rank of notes that have the words side by side, as they were typed, is doubled.
    """
    return Statement(f"""
    WITH in_heading AS (
        SELECT note_id FROM ({_candidates([IN_HEADING, HEADING_MATCHES])}) AS newest
        WHERE NOT ({EXCLUDES}) OR words @@ {QUERY} {_ranked(EXCLUDES)}
    ), candidates AS MATERIALIZED (
        {_candidates([ANYWHERE, WORDS_MAY_MATCH, *more])}
    ), matching AS MATERIALIZED (
        SELECT note_id FROM candidates WHERE NOT ({HAS_QUOTES}) OR words @@ {QUERY}
        LIMIT CASE WHEN {HAS_QUOTES} THEN {RANKED_IF_READ} END
    ), found AS (
        SELECT note_id FROM in_heading UNION (SELECT note_id FROM matching {_ranked(HAS_QUOTES)})
    ), best AS (
        SELECT note_id, (ts_rank(words, begun, 1) + ts_rank(words, in_any_form, 1))
                        * CASE WHEN numnode(side_by_side) > 1 AND words @@ side_by_side THEN 2 ELSE 1 END AS rank
        FROM found JOIN note_words USING (note_id), (
            SELECT {_any_of("begun_query(:query)")} AS begun,
                   {_any_of("websearch_to_tsquery(:language::text::regconfig, :query)")} AS in_any_form,
                   phraseto_tsquery('simple', :query) AS side_by_side OFFSET 0
        ) AS wanted
        WHERE user_id = :user_id
    )
    SELECT note_id::text, coalesce(rank, 0)::real AS rank,
           (SELECT count(*) FROM candidates) = {READ}
           OR ({HAS_QUOTES} AND (SELECT count(*) FROM matching) = {RANKED_IF_READ}) AS may_have_more
    FROM matching FULL JOIN best USING (note_id) ORDER BY 2 DESC, note_id DESC
    """)


FIND, FIND_PHRASES = _find(), _find(HAS_PHRASES)

# Uses the index only, which ignores exclusions and the order of a phrase: the result may have notes too many.
FIND_UNRANKED = Statement(f"""
SELECT note_id::text, 0.0::real AS rank, true AS may_have_more FROM note_words
WHERE user_id = :user_id AND {ANYWHERE} AND {WORDS_MAY_MATCH}
ORDER BY note_id DESC LIMIT {READ}
""")

MATCHES = Statement(f"""
SELECT {note_columns.SUMMARY}, left(body, {HEADLINE_CHARACTERS}) AS body FROM notes
WHERE user_id = :user_id AND id = ANY (:note_ids::uuid[]) AND deleted_at IS NULL
""")

# Based on exact matches of a word; if there are none, on matches of its other forms.
HEADLINES = Statement(f"""
SELECT CASE
    WHEN strpos(plain, :start) > 0 THEN plain
    ELSE ts_headline(:language::text::regconfig, text, wanted, :options)
END
FROM (SELECT replace(querytree({QUERY}), '&', '|')::tsquery AS wanted OFFSET 0) AS query,
     unnest(:texts::text[]) WITH ORDINALITY AS texts (text, number),
     ts_headline('simple', text, wanted, :options) AS plain
ORDER BY number
""")


@dataclass(frozen=True)
class SearchMatch:
    """A matching note. `body`: the part of its text from which the snippet is made. `rank`: higher is better."""

    note: NoteSummary
    body: str
    rank: float


@dataclass(frozen=True)
class Ranking:
    """The ids of the notes found, best first, each with its rank. `may_have_more`: not all that may match were
    looked at. `is_exact`: all of them match; unknown where the search took too long."""

    ranks: dict[str, float]
    may_have_more: bool
    is_exact: bool


class SearchRepository:
    def __init__(self, pool: Pool, language: str) -> None:
        self.pool = pool
        self.language = language

    async def find(self, user_id: str, query: str) -> Ranking:
        """The matches outside the trash, best first. `query` is normalized; without any word it has no matches."""
        is_exact = True
        try:
            rows = await self._fetch(FIND_MS, find_statement(user_id, self.language, query))
        except asyncpg.QueryCanceledError:
            log.warning("search unranked", user_id=user_id)
            is_exact = False
            unranked = FIND_UNRANKED(user_id=user_id, language=self.language, query=query)
            rows = await self._fetch(FIND_UNRANKED_MS, unranked)
        ranks = {row["note_id"]: row["rank"] for row in rows}
        return Ranking(ranks, may_have_more=any(row["may_have_more"] for row in rows[:1]), is_exact=is_exact)

    async def matches(self, user_id: str, ranks: Mapping[str, float]) -> list[SearchMatch]:
        """The notes with these ids, in this order; without those that are in the trash by now."""
        async with connection(self.pool) as db:
            rows = await db.fetch(*MATCHES(user_id=user_id, note_ids=list(ranks)))
        found = {row["id"]: row for row in rows}
        return [
            SearchMatch(note_columns.note_summary(found[note_id]), found[note_id]["body"], rank)
            for note_id, rank in ranks.items()
            if note_id in found
        ]

    async def headlines(self, query: str, texts: Sequence[str], start: str, stop: str) -> list[str]:
        """An excerpt of each folded text, with `start` and `stop` around its matches, if it has any. Empty for the last
        texts if the time limit is reached before."""
        options = f"StartSel={start}, StopSel={stop}, MinWords=15, MaxWords=35"
        values = {"start": start, "language": self.language, "query": query, "options": options}
        clock = asyncio.get_running_loop().time
        deadline = clock() + HEADLINES_MS / 1000
        found: list[str] = []
        for begin in range(0, len(texts), HEADLINES_AT_ONCE):
            left = round((deadline - clock()) * 1000)
            if left <= 0:
                break
            try:
                rows = await self._fetch(left, HEADLINES(**values, texts=texts[begin : begin + HEADLINES_AT_ONCE]))
            except asyncpg.QueryCanceledError:
                break
            found += [row[0] for row in rows]
        return found + [""] * (len(texts) - len(found))

    async def _fetch(self, milliseconds: int, statement: tuple[Any, ...]) -> list[Any]:
        """Raises `QueryCanceledError` where it takes longer."""
        async with transaction(self.pool) as db:
            await db.execute(*USE_INDEXES())
            await db.execute(*LIMIT_TIME(milliseconds=milliseconds))
            return await db.fetch(*statement)


def find_statement(user_id: str, language: str, query: str) -> tuple[Any, ...]:
    values = {"user_id": user_id, "language": language, "query": query}
    phrases = required_phrases(query)
    return FIND_PHRASES(**values, phrases=phrases) if phrases else FIND(**values)
