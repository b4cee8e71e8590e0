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

IN_TRASH = "in_trash"

PAGE = Statement(f"""
SELECT {", ".join(RevisionSummary.model_fields)} FROM revisions
WHERE user_id = :user_id AND note_id = :note_id AND listed AND version < :below ORDER BY version DESC LIMIT :limit
""")
REVISION = Statement(f"""
SELECT {", ".join(Revision.model_fields)}, deleted_at FROM revisions
WHERE user_id = :user_id AND note_id = :note_id AND version = :version
""")

# A run's changes are those of the actor `agent`; `undo` writes under the same run in the user's name.
NOTES_CHANGED_BY_RUN = Statement("""
SELECT by_run.note_id::text, by_run.first_version, by_run.first_op, newest.actor AS newest_actor
FROM (
    SELECT note_id, min(version) AS first_version, (array_agg(op ORDER BY version))[1] AS first_op
    FROM revisions
    WHERE user_id = :user_id AND actor ? 'run_id' AND actor ->> 'run_id' = :run_id AND actor ->> 'kind' = 'agent'
    GROUP BY note_id
) AS by_run
JOIN notes ON notes.user_id = :user_id AND notes.id = by_run.note_id
JOIN revisions AS newest
     ON newest.user_id = :user_id AND newest.note_id = by_run.note_id AND newest.version = notes.version
ORDER BY by_run.note_id
""")


def _if_changed(value: str, name: str) -> str:
    return f"CASE WHEN ({value}) IS DISTINCT FROM lag({value}) OVER versions THEN '{name}' END"


CHANGED_FIELDS = ", ".join(
    (*(_if_changed(name, name) for name in CONTENT), _if_changed("deleted_at IS NULL", IN_TRASH))
)
# Of each version after `first_version - 1` which fields it changed, compared here, so that no texts are sent.
CHANGES_SINCE = Statement(f"""
SELECT version,
       coalesce(actor ->> 'run_id' = :run_id AND actor ->> 'kind' = 'agent', false) AS is_by_run,
       version - lag(version) OVER versions > 1 AS is_after_gap,
       array_remove(ARRAY[{CHANGED_FIELDS}], NULL) AS fields
FROM revisions WHERE user_id = :user_id AND note_id = :note_id AND version >= :first_version - 1
WINDOW versions AS (ORDER BY version) ORDER BY version
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
    """`first_version`, `first_op`: the run's first version of the note, and the operation that created it."""

    note_id: str
    first_version: int
    first_op: str
    newest_actor: dict[str, Any]


@dataclass(frozen=True)
class ChangedFields:
    """What a run changed of a note since its first version of it, and what others did: names of fields, `IN_TRASH`
    among them. What differs across versions that were pruned is in both."""

    by_run: set[str]
    by_others: set[str]


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


async def changed_fields(db: Any, user_id: str, run_id: str, changed: NoteChangedByRun) -> ChangedFields:
    """A note's first version changes none of its fields here: there is nothing to compare it with."""
    statement = CHANGES_SINCE(
        user_id=user_id, note_id=changed.note_id, run_id=run_id, first_version=changed.first_version
    )
    _, *later = await db.fetch(*statement)
    return ChangedFields(
        by_run={name for row in later if row["is_by_run"] or row["is_after_gap"] for name in row["fields"]},
        by_others={name for row in later if not row["is_by_run"] or row["is_after_gap"] for name in row["fields"]},
    )


async def was_undone(db: Any, user_id: str, note_id: str, run_id: str) -> bool:
    """Whether the run's changes of this note have been undone before."""
    return await db.fetchval(*WAS_UNDONE(user_id=user_id, note_id=note_id, run_id=run_id))
