"""Revisions: the earlier versions of a note, and which notes a run of the assistant changed."""

# ruff: noqa: S608  (only fragments of SQL from these modules are put together; values are arguments)

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg.pool import Pool

from contracts.errors import NotFound
from contracts.note_history import Revision, RevisionSummary
from notes_service.repository.connections import connection
from notes_service.repository.note_columns import CONTENT
from servicekit.sql import Statement

IS_TRASHED = "is_trashed"

PAGE = Statement(f"""
SELECT {", ".join(RevisionSummary.model_fields)} FROM revisions
WHERE user_id = :user_id AND note_id = :note_id AND listed AND version < :below ORDER BY version DESC LIMIT :limit
""")
REVISION = Statement(f"""
SELECT {", ".join(Revision.model_fields)}, deleted_at FROM revisions
WHERE user_id = :user_id AND note_id = :note_id AND version = :version
""")

# A run's changes are those of the actor `agent`; undoing writes under the same run in the user's name.
BY_RUN = "actor ? 'run_id' AND actor ->> 'run_id' = :run_id AND actor ->> 'kind' = 'agent'"
NOTES_CHANGED_BY_RUN = Statement(f"""
SELECT by_run.note_id::text, by_run.first_version, by_run.last_version, by_run.first_op, newest.actor AS newest_actor
FROM (
    SELECT note_id, min(version) AS first_version, max(version) AS last_version,
           (array_agg(op ORDER BY version))[1] AS first_op
    FROM revisions WHERE user_id = :user_id AND {BY_RUN} GROUP BY note_id
) AS by_run
JOIN notes ON notes.user_id = :user_id AND notes.id = by_run.note_id
JOIN revisions AS newest
     ON newest.user_id = :user_id AND newest.note_id = by_run.note_id AND newest.version = notes.version
ORDER BY by_run.note_id
""")
# Which fields each version from `from_version` to `to_version` changed; the version before it must be stored.
CHANGED_FIELDS = Statement(f"""
SELECT version, {BY_RUN} AS is_by_run, fields FROM (
    SELECT version, actor, array_remove(ARRAY[
        {", ".join(f"CASE WHEN {f}::text <> lag({f}::text) OVER versions THEN '{f}' END" for f in CONTENT)},
        CASE WHEN (deleted_at IS NULL) <> (lag(deleted_at) OVER versions IS NULL) THEN '{IS_TRASHED}' END
    ], NULL) AS fields
    FROM revisions
    WHERE user_id = :user_id AND note_id = :note_id AND version BETWEEN :from_version - 1 AND :to_version
    WINDOW versions AS (ORDER BY version)
) AS changed WHERE version >= :from_version ORDER BY version
""")
RUNS_WITH_CHANGES = Statement("""
SELECT DISTINCT actor ->> 'run_id' FROM revisions
WHERE user_id = :user_id AND actor ? 'run_id' AND actor ->> 'run_id' = ANY(:run_ids) AND actor ->> 'kind' = 'agent'
""")
WAS_UNDONE = Statement("""
SELECT EXISTS (
    SELECT FROM revisions WHERE user_id = :user_id AND note_id = :note_id AND actor ? 'run_id'
                                AND actor ->> 'run_id' = :run_id AND actor ->> 'kind' <> 'agent'
)
""")


@dataclass(frozen=True)
class StoredRevision:
    """`deleted_at` is set if the note was in the trash at this version."""

    revision: Revision
    deleted_at: datetime | None


@dataclass(frozen=True)
class NoteChangedByRun:
    """`first_version`, `last_version`: the run's first and last version of the note; `first_op`: the operation of the
    first."""

    note_id: str
    first_version: int
    last_version: int
    first_op: str
    newest_actor: dict[str, Any]


@dataclass(frozen=True)
class ChangedFields:
    """Which fields a version changed, those of `NoteContent` and `IS_TRASHED`."""

    version: int
    is_by_run: bool
    fields: frozenset[str]


class RevisionRepository:
    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    async def page(self, user_id: str, note_id: str, below: int, limit: int) -> list[RevisionSummary]:
        """The listed versions with a number below `below`, newest first."""
        async with connection(self.pool) as db:
            rows = await db.fetch(*PAGE(user_id=user_id, note_id=note_id, below=below, limit=limit))
        return [RevisionSummary.model_validate(dict(row)) for row in rows]

    async def revision(self, user_id: str, note_id: str, version: int) -> Revision:
        """A version, listed or not. Raises `NotFound`."""
        async with connection(self.pool) as db:
            stored = await stored_revision(db, user_id, note_id, version)
        if stored is None:
            raise NotFound("There is no such version of this note.")
        return stored.revision


async def stored_revision(db: Any, user_id: str, note_id: str, version: int) -> StoredRevision | None:
    row = await db.fetchrow(*REVISION(user_id=user_id, note_id=note_id, version=version))
    return StoredRevision(Revision.model_validate(dict(row)), row["deleted_at"]) if row else None


async def notes_changed_by_run(db: Any, user_id: str, run_id: str) -> Sequence[NoteChangedByRun]:
    """The notes that still exist, ordered by id, so that the order is deterministic."""
    rows = await db.fetch(*NOTES_CHANGED_BY_RUN(user_id=user_id, run_id=run_id))
    return [NoteChangedByRun(**row) for row in rows]


async def changed_fields(
    db: Any, user_id: str, note_id: str, run_id: str, *, from_version: int, to_version: int
) -> list[ChangedFields] | None:
    """What each of these versions changed, in their order. None if one of them, or the one before them, was pruned."""
    rows = await db.fetch(
        *CHANGED_FIELDS(
            user_id=user_id, note_id=note_id, run_id=run_id, from_version=from_version, to_version=to_version
        )
    )
    if len(rows) != to_version - from_version + 1:
        return None
    return [ChangedFields(row["version"], row["is_by_run"], frozenset(row["fields"])) for row in rows]


async def runs_with_changes(db: Any, user_id: str, run_ids: Sequence[str]) -> set[str]:
    """Those of the runs that changed notes."""
    rows = await db.fetch(*RUNS_WITH_CHANGES(user_id=user_id, run_ids=list(run_ids)))
    return {row[0] for row in rows}


async def was_undone(db: Any, user_id: str, note_id: str, run_id: str) -> bool:
    """Whether the run's changes of this note have been undone before."""
    return await db.fetchval(*WAS_UNDONE(user_id=user_id, note_id=note_id, run_id=run_id))
