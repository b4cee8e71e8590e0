"""Requests about a note's revisions, and undoing the changes of a run."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from contracts.actor import PublicActor
from contracts.ids import Id
from contracts.notes import ChangeOp, Note, NoteContent, NoteRequest, NoteSummary, NoteWrite, PageSize, Version
from contracts.operation import Operation


class RevisionSummary(BaseModel):
    """One version of a note: the operation, the actor, and the time."""

    version: int
    op: ChangeOp
    title: str
    actor: PublicActor
    created_at: datetime


class Revision(RevisionSummary, NoteContent):
    """One version with its content."""


class RevisionPage(BaseModel):
    """Newest first. Version numbers may have gaps: of the versions of a burst only the last is listed."""

    revisions: list[RevisionSummary]
    next_cursor: str | None = None


class ListRevisions(NoteRequest):
    id: Id
    limit: PageSize = 50
    cursor: str | None = Field(default=None, max_length=1000)


class GetRevision(NoteRequest):
    """Also a version that is not listed, while it is stored: it may be the common ancestor of two edits."""

    id: Id
    version: Version


class RestoreRevision(NoteWrite):
    """Writes an earlier version's title, text and tags as a new version."""

    id: Id
    version: Version
    expected_version: Version | None = None


UNDO_RUNS_MAX = 1_000


class UndoRun(NoteRequest):
    """Undoes a run's changes. A repeat changes nothing. The new versions carry `actor` and the run. What others have
    changed beside them stays: a note is a conflict only where both changed the same field."""

    run_id: Id


class UndoRuns(NoteRequest):
    """Undoes the changes of several runs, those of `run_ids[0]` first: newest first, where one built on another. It is
    one change: unless `partly`, nothing is changed where one note would be a conflict."""

    run_ids: Annotated[list[Id], Field(max_length=UNDO_RUNS_MAX)]
    partly: bool = False


class UndoneNote(BaseModel):
    """`op`: what undoing did to the note. `note`: as it is now."""

    op: ChangeOp
    note: NoteSummary


class UndoConflict(BaseModel):
    """A note that was not changed. `reason` is a sentence for a person."""

    reason: str
    note: NoteSummary


class UndoneRun(BaseModel):
    undone: Annotated[list[UndoneNote], Field(description="Notes that are as they were before the run.")]
    conflicts: Annotated[list[UndoConflict], Field(description="Notes that someone else has changed since.")]


class UndoneRuns(UndoneRun):
    """`runs`: those of which no change is left."""

    runs: list[Id]


REVISIONS = Operation("notes.revisions", ListRevisions, RevisionPage)
REVISION = Operation("notes.revision", GetRevision, Revision)
RESTORE_REVISION = Operation("notes.restore_revision", RestoreRevision, Note)
UNDO_RUN = Operation("notes.undo_run", UndoRun, UndoneRun)
UNDO_RUNS = Operation("notes.undo_runs", UndoRuns, UndoneRuns)
