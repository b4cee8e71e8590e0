"""Undoing the changes of a run to notes.

**Invariant: undo changes only what the run changed and nobody else has since, and each of it once.** All notes of a run
are undone in one transaction, which holds the lock on the user's feed, so nobody writes in between. Compared are the
fields that each version since the run's first one changed: where the run and somebody else changed the same, or
somebody else moved the note to the trash or out of it, the note is left alone and named as a conflict. Otherwise the
run's fields become what they were before its first version, and all others stay as they are: a note that was pinned
meanwhile stays pinned. What differs between two versions, where those between them were pruned, counts as changed by
both. The new version carries the run's id under the user's name: by that a repeat knows what was undone, and answers
the same without writing. It is the newest version, or somebody changed the note after the undo and there is nothing of
the run left to undo.
"""

from contracts.note_history import UndoConflict, UndoneNote, UndoneRun, UndoRun
from contracts.notes import Note, NoteContent, NoteInput, NoteSummary
from notes_service.plain_text import preview
from notes_service.quota import Quota
from notes_service.repository import NoteTransaction
from notes_service.repository.revisions import (
    IN_TRASH,
    NoteChangedByRun,
    changed_fields,
    notes_changed_by_run,
    stored_revision,
    was_undone,
)
from notes_service.unit_of_work import UnitOfWork

UNLIMITED = Quota(2**62, 2**62)
"""Content from before the run may be restored even if the quota is used up."""
CHANGED_SINCE = "Someone else has changed this note since."
VERSION_PRUNED = "The previous version is no longer available."


class UndoService:
    def __init__(self, unit_of_work: UnitOfWork) -> None:
        self.unit_of_work = unit_of_work

    async def undo_run(self, request: UndoRun) -> UndoneRun:
        actor = request.actor.model_copy(update={"run_id": request.run_id, "call_id": None})
        result = UndoneRun(undone=[], conflicts=[])
        async with self.unit_of_work(request.model_copy(update={"actor": actor}), UNLIMITED) as tx:
            for changed in await notes_changed_by_run(tx.db, actor.user_id, request.run_id):
                await _undo(tx, changed, request.run_id, result)
        return result


async def _undo(tx: NoteTransaction, changed: NoteChangedByRun, run_id: str, result: UndoneRun) -> None:
    note = await tx.note(changed.note_id)
    user_id = tx.actor.user_id
    if changed.newest_actor.get("run_id") == run_id and changed.newest_actor["kind"] != "agent":  # undone before
        newest = await stored_revision(tx.db, user_id, note.id, note.version)
        assert newest is not None
        result.undone.append(UndoneNote(op=newest.revision.op, note=_summary(note)))
    elif await was_undone(tx.db, user_id, note.id, run_id):
        return  # and changed after that
    else:
        await _undo_fields(tx, changed, note, run_id, result)


async def _undo_fields(
    tx: NoteTransaction, changed: NoteChangedByRun, note: Note, run_id: str, result: UndoneRun
) -> None:
    user_id = tx.actor.user_id
    before = await stored_revision(tx.db, user_id, note.id, changed.first_version - 1)
    is_created = changed.first_op == "create"
    if before is None and not is_created:
        result.conflicts.append(UndoConflict(reason=VERSION_PRUNED, note=_summary(note)))
        return
    fields = await changed_fields(tx.db, user_id, run_id, changed)
    by_run = fields.by_run | (await _set_at_creation(tx, note.id) if is_created else set[str]())
    now = NoteContent.of(note)
    if IN_TRASH in fields.by_others or by_run & fields.by_others:
        result.conflicts.append(UndoConflict(reason=CHANGED_SINCE, note=_summary(note)))
    elif before is None:
        await _write_back(tx, note, now, to_trash=True, result=result)
    else:
        content = now.model_copy(update=NoteContent.of(before.revision).model_dump(include=by_run))
        was_in_trash = before.deleted_at is not None
        await _write_back(tx, note, content, to_trash=was_in_trash, result=result)


async def _set_at_creation(tx: NoteTransaction, note_id: str) -> set[str]:
    """The fields that a run gave a value when it created the note, and its text, even if that was empty: what somebody
    has written since does not go to the trash with the note."""
    first = await stored_revision(tx.db, tx.actor.user_id, note_id, 1)
    assert first is not None, "the run's first version of the note"
    return {"body"} | {
        name for name, field in NoteInput.model_fields.items() if getattr(first.revision, name) != field.get_default()
    }


async def _write_back(
    tx: NoteTransaction, note: Note, content: NoteContent, *, to_trash: bool, result: UndoneRun
) -> None:
    """Writes nothing if the run itself left the note unchanged in the end."""
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
