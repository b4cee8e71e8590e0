"""The past of notes: their versions, a version brought back, and a run of the assistant taken back."""

from dataclasses import replace

from asyncpg.pool import Pool

from contracts.errors import NotFound, ValidationFailed
from contracts.note_history import (
    GetRevision,
    ListRevisions,
    RestoreRevision,
    Revision,
    RevisionPage,
    UndoConflict,
    UndoneNote,
    UndoneRun,
    UndoRun,
)
from contracts.notes import ChangeOp, Note, NoteSummary
from notes_service.draft import Draft
from notes_service.plain_text import preview
from notes_service.quota import Quota
from notes_service.repository import Writing
from notes_service.repository.history import History, Kept, Touched, touched_by, undone_before, version_of
from notes_service.writes import Writes, expect

NEWEST = 2**31 - 1
UNBOUNDED = Quota(2**62, 2**62)
"""What was there before the run may come back, however full the account is."""
CHANGED_SINCE = "This note was changed since by someone else."
NOT_KEPT = "The version before is not kept any more."


class NotesHistory:
    def __init__(self, pool: Pool, writes: Writes) -> None:
        self.history = History(pool)
        self.writes = writes

    async def page(self, asked: ListRevisions) -> RevisionPage:
        """Raises `NotFound` for a note that there is not."""
        below = _version(asked.cursor) if asked.cursor is not None else NEWEST
        found = await self.history.page(asked.actor.user_id, asked.id, below, asked.limit + 1)
        if not found and asked.cursor is None:
            raise NotFound("There is no such note.")
        shown = found[: asked.limit]
        return RevisionPage(revisions=shown, next_cursor=str(shown[-1].version) if len(found) > len(shown) else None)

    async def one(self, asked: GetRevision) -> Revision:
        return await self.history.one(asked.actor.user_id, asked.id, asked.version)

    async def restore(self, asked: RestoreRevision) -> Note:
        """Pin and archive stay as they are. A note in the trash is `NotFound`, as for any other change."""

        async def restore(write: Writing) -> Note:
            note = await write.note(asked.id)
            if note.deleted_at is not None:
                raise NotFound("This note is in the trash. Restore it first.")
            expect(note, asked.expected_version)
            kept = await version_of(write.db, asked.actor.user_id, asked.id, asked.version)
            if kept is None:
                raise NotFound("There is no such version of this note.")
            then = kept.revision
            wanted = replace(Draft.of(note), title=then.title, body=then.body, tags=then.tags)
            return note if wanted == Draft.of(note) else await write.save("update", wanted, note)

        return await self.writes.once(asked, restore)

    async def undo_run(self, asked: UndoRun) -> UndoneRun:
        """All of it in one transaction; each note as it was before the run's first change of it."""
        actor = asked.actor.model_copy(update={"run_id": asked.run_id, "call_id": None})
        result = UndoneRun(undone=[], conflicts=[])
        async with self.writes.open(actor, UNBOUNDED) as write:
            for touched in await touched_by(write.db, actor.user_id, asked.run_id):
                await _undo(write, touched, asked.run_id, result)
        return result


async def _undo(write: Writing, touched: Touched, run_id: str, result: UndoneRun) -> None:
    note = await write.note(touched.note_id)
    user_id = write.actor.user_id
    if touched.newest_actor.get("run_id") == run_id and touched.newest_actor["kind"] != "agent":
        made = await version_of(write.db, user_id, note.id, note.version)
        assert made is not None
        result.undone.append(UndoneNote(op=made.revision.op, note=_summary(note)))
    elif await undone_before(write.db, user_id, note.id, run_id):
        return  # and changed after that: there is nothing of the run left
    elif not touched.alone:
        result.conflicts.append(UndoConflict(reason=CHANGED_SINCE, note=_summary(note)))
    elif touched.first_op == "create":
        await _take_back(write, note, Draft.of(note), "trash", result)
    elif (before := await version_of(write.db, user_id, note.id, touched.first - 1)) is None:
        result.conflicts.append(UndoConflict(reason=NOT_KEPT, note=_summary(note)))
    else:
        await _take_back(write, note, _draft(note, before), "trash" if before.deleted_at else "shelf", result)


async def _take_back(write: Writing, note: Note, wanted: Draft, place: str, result: UndoneRun) -> None:
    """Nothing where the run itself left the note as it had found it."""
    is_deleted = note.deleted_at is not None
    if (place == "trash") == is_deleted and (is_deleted or wanted == Draft.of(note)):
        return
    op: ChangeOp = "delete" if place == "trash" else "restore" if is_deleted else "update"
    result.undone.append(UndoneNote(op=op, note=_summary(await write.save(op, wanted, note))))


def _draft(note: Note, before: Kept) -> Draft:
    then = before.revision
    return replace(
        Draft.of(note), title=then.title, body=then.body, tags=then.tags, pinned=then.pinned, archived=then.archived
    )


def _summary(note: Note) -> NoteSummary:
    return NoteSummary(**note.model_dump(exclude={"body"}), preview=preview(note.body))


def _version(cursor: str) -> int:
    if cursor.isascii() and cursor.isdecimal() and len(cursor) < 10:
        return int(cursor)
    raise ValidationFailed(errors=[{"field": "cursor", "message": "is not where a page of this history ends"}])
