"""Undoing the changes of runs to notes.

**Invariant: undo takes back what a run changed, nothing that anybody else did, and each note once.** All notes are
undone in one transaction, which holds the lock on the user's feed, so nobody writes in between. Compared are fields:
title, text, tags and so on, and whether the note is in the trash. A field that the run changed is set back to what it
was before the run's first version of the note, if it is now as the run left it; a field that is as it was before needs
nothing. If it is neither, or if somebody else changed it between two versions of the run, it is somebody else's: the
note is left alone as a whole and named as a conflict. So a note that was pinned meanwhile is undone and stays pinned,
and runs that built on each other can be undone one after the other, the newest first. A note that the run created goes
to the trash if what the run gave it is as the run left it.

The new version carries the run's id under the user's name: by that a repeat knows what was undone, and answers the same
without writing. It is the newest version, or somebody changed the note after the undo and there is nothing of the run
left to undo.
"""

from typing import Any

from contracts.note_history import UndoConflict, UndoneNote, UndoneRun, UndoneRuns, UndoRun, UndoRuns
from contracts.notes import Note, NoteContent, NoteInput, NoteSummary
from notes_service.plain_text import preview
from notes_service.quota import Quota
from notes_service.repository import NoteTransaction
from notes_service.repository.revisions import (
    IS_TRASHED,
    NoteChangedByRun,
    StoredRevision,
    changed_fields,
    notes_changed_by_run,
    runs_with_changes,
    stored_revision,
    was_undone,
)
from notes_service.unit_of_work import UnitOfWork

UNLIMITED = Quota(2**62, 2**62)
"""Content from before the run may be restored even if the quota is used up."""
CHANGED_SINCE = "This note has been changed since."
VERSION_PRUNED = "The previous version is no longer available."


class _NotTogether(Exception):
    """One note is a conflict, so nothing is undone."""


class UndoService:
    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self.unit_of_work = unit_of_work

    async def undo_run(self, request: UndoRun) -> UndoneRun:
        undone = await self.undo_runs(UndoRuns(actor=request.actor, run_ids=[request.run_id], partly=True))
        return UndoneRun(undone=undone.undone, conflicts=undone.conflicts)

    async def undo_runs(self, request: UndoRuns) -> UndoneRuns:
        result = UndoneRuns(undone=[], conflicts=[], runs=[])
        try:
            async with self.unit_of_work(request, UNLIMITED) as tx:
                changing = await runs_with_changes(tx.db, request.actor.user_id, request.run_ids)
                for run_id in request.run_ids:
                    if run_id in changing:
                        await _undo_run(tx, run_id, result)
                if result.conflicts and not request.partly:
                    raise _NotTogether  # noqa: TRY301 (rolls back what the transaction has undone)
        except _NotTogether:
            return UndoneRuns(undone=[], conflicts=result.conflicts, runs=[])
        return result


async def _undo_run(tx: NoteTransaction, run_id: str, result: UndoneRuns) -> None:
    tx.actor = tx.actor.model_copy(update={"run_id": run_id, "call_id": None})
    conflicts = len(result.conflicts)
    for changed in await notes_changed_by_run(tx.db, tx.actor.user_id, run_id):
        await _undo(tx, changed, run_id, result)
    if len(result.conflicts) == conflicts:
        result.runs.append(run_id)


async def _undo(tx: NoteTransaction, changed: NoteChangedByRun, run_id: str, result: UndoneRun) -> None:
    note = await tx.note(changed.note_id)
    user_id = tx.actor.user_id
    if changed.newest_actor.get("run_id") == run_id and changed.newest_actor["kind"] != "agent":  # undone before
        newest = await stored_revision(tx.db, user_id, note.id, note.version)
        assert newest is not None
        result.undone.append(UndoneNote(op=newest.revision.op, note=_summary(note)))
        return
    if await was_undone(tx.db, user_id, note.id, run_id):
        return  # and changed after that
    is_created = changed.first_op == "create"
    steps = await changed_fields(
        *(tx.db, user_id, note.id, run_id),
        from_version=changed.first_version + is_created,  # no version is before the first
        to_version=changed.last_version,
    )
    first = changed.first_version if is_created else changed.first_version - 1
    before, left = [
        await stored_revision(tx.db, user_id, note.id, version) for version in (first, changed.last_version)
    ]
    if before is None or left is None or steps is None:
        result.conflicts.append(UndoConflict(reason=VERSION_PRUNED, note=_summary(note)))
        return
    by_run = _given(before) if is_created else frozenset[str]()
    by_run = by_run.union(*(step.fields for step in steps if step.is_by_run))
    by_others = frozenset[str]().union(*(step.fields for step in steps if not step.is_by_run))
    now, left = _state(note, is_trashed=note.deleted_at is not None), _state_of(left)
    if by_run & by_others:
        wanted = None
    elif is_created:
        wanted = _without_created(now, left, by_run)
    else:
        wanted = _taken_back(now, left, _state_of(before), by_run)
    if wanted is None:
        result.conflicts.append(UndoConflict(reason=CHANGED_SINCE, note=_summary(note)))
        return
    is_trashed = wanted.pop(IS_TRASHED)
    await _write_back(tx, note, NoteContent.model_validate(wanted), to_trash=is_trashed, result=result)


State = dict[str, Any]
"""A note's content by field, and `IS_TRASHED`."""


def _state(content: NoteContent, *, is_trashed: bool) -> State:
    return {**{name: getattr(content, name) for name in NoteContent.model_fields}, IS_TRASHED: is_trashed}


def _state_of(stored: StoredRevision) -> State:
    return _state(stored.revision, is_trashed=stored.deleted_at is not None)


def _given(first: StoredRevision) -> frozenset[str]:
    """The fields that a run gave a value when it created the note, and its text, even if that was empty: what somebody
    has written since does not go to the trash with the note."""
    given = {
        name for name, field in NoteInput.model_fields.items() if getattr(first.revision, name) != field.get_default()
    }
    return frozenset({"body"} | given)


def _taken_back(now: State, left: State, before: State, by_run: frozenset[str]) -> State | None:
    """The note without what the run changed. None if somebody else has changed one of these fields, or has moved the
    note to the trash."""
    changed = {name for name in by_run if now[name] != before[name]}
    if any(now[name] != left[name] for name in changed):
        return None
    if changed and now[IS_TRASHED] and not left[IS_TRASHED]:
        return None
    return {**now, **{name: before[name] for name in changed}}


def _without_created(now: State, left: State, by_run: frozenset[str]) -> State | None:
    """The note in the trash. None if somebody else has changed what the run gave it."""
    if now[IS_TRASHED]:
        return now
    is_its_own = all(now[name] == left[name] for name in by_run - {IS_TRASHED})
    return {**now, IS_TRASHED: True} if is_its_own else None


async def _write_back(
    tx: NoteTransaction, note: Note, content: NoteContent, *, to_trash: bool, result: UndoneRun
) -> None:
    """Writes nothing if the note is like that already, or in the trash and to stay there."""
    in_trash = note.deleted_at is not None
    if to_trash:
        if in_trash:
            return
        result.undone.append(UndoneNote(op="delete", note=_summary(await tx.delete(note, content))))
    elif in_trash:
        result.undone.append(UndoneNote(op="restore", note=_summary(await tx.restore(note, content))))
    elif content != NoteContent.of(note):
        result.undone.append(UndoneNote(op="update", note=_summary(await tx.update(note, content))))


def _summary(note: Note) -> NoteSummary:
    return NoteSummary(**note.model_dump(exclude={"body"}), preview=preview(note.body))
