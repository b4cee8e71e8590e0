"""A note's earlier versions, and what one run of the assistant did to which notes."""

# ruff: noqa: S608  (what is put together here are our own pieces of SQL; values are arguments)

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg.pool import Pool

from contracts.errors import NotFound
from contracts.note_history import Revision, RevisionSummary
from notes_service.repository.connections import connection

SUMMARY = "version, op, title, actor, created_at"
PAGE = f"""
SELECT {SUMMARY} FROM revisions
WHERE user_id = $1 AND note_id = $2 AND listed AND version < $3 ORDER BY version DESC LIMIT $4
"""
WHOLE = f"{SUMMARY}, body, tags, pinned, archived, deleted_at"
ONE = f"SELECT {WHOLE} FROM revisions WHERE user_id = $1 AND note_id = $2 AND version = $3"

# `alone`: every version since the run's first one is the run's own. A version that is not kept is taken for another's.
TOUCHED = """
SELECT mine.note_id::text, mine.first, mine.first_op,
       notes.version - mine.first + 1 = mine.count AS alone, newest.actor AS newest_actor
FROM (
    SELECT note_id, min(version) AS first, count(*) AS count, (array_agg(op ORDER BY version))[1] AS first_op
    FROM revisions WHERE user_id = $1 AND actor ? 'run_id' AND actor ->> 'run_id' = $2 AND actor ->> 'kind' = 'agent'
    GROUP BY note_id
) AS mine
JOIN notes ON notes.user_id = $1 AND notes.id = mine.note_id
JOIN revisions AS newest
     ON newest.user_id = $1 AND newest.note_id = mine.note_id AND newest.version = notes.version
ORDER BY mine.note_id
"""
UNDONE_BEFORE = """
SELECT EXISTS (
    SELECT FROM revisions WHERE user_id = $1 AND note_id = $2 AND actor ? 'run_id' AND actor ->> 'run_id' = $3
                                AND actor ->> 'kind' <> 'agent'
)
"""


@dataclass(frozen=True)
class Touched:
    """A note that a run changed. `first`: the first version that it made, and how."""

    note_id: str
    first: int
    first_op: str
    alone: bool
    newest_actor: dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """A version as it is kept; `deleted_at` is set where the note was in the trash."""

    revision: Revision
    deleted_at: datetime | None


class History:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def page(self, user_id: str, note_id: str, below: int, limit: int) -> list[RevisionSummary]:
        async with connection(self.pool) as db:
            records = await db.fetch(PAGE, user_id, note_id, below, limit)
        return [RevisionSummary.model_validate(dict(record)) for record in records]

    async def one(self, user_id: str, note_id: str, version: int) -> Revision:
        """Raises `NotFound`."""
        async with connection(self.pool) as db:
            kept = await version_of(db, user_id, note_id, version)
        if kept is None:
            raise NotFound("There is no such version of this note.")
        return kept.revision


async def version_of(db: Any, user_id: str, note_id: str, version: int) -> Kept | None:
    record = await db.fetchrow(ONE, user_id, note_id, version)
    return Kept(Revision.model_validate(dict(record)), record["deleted_at"]) if record else None


async def touched_by(db: Any, user_id: str, run_id: str) -> Sequence[Touched]:
    """The notes that the run changed and that there still are, in an order that is always the same."""
    return [Touched(**record) for record in await db.fetch(TOUCHED, user_id, run_id)]


async def undone_before(db: Any, user_id: str, note_id: str, run_id: str) -> bool:
    """Whether the run's changes of this note were taken back already."""
    return await db.fetchval(UNDONE_BEFORE, user_id, note_id, run_id)
