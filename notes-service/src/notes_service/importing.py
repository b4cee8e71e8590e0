"""One file as a note: made, brought up to date, or left as it is. Importing the same file again changes nothing."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid5

from contracts.errors import NotFound
from contracts.notes import Note
from notes_service.draft import Draft
from notes_service.repository import Writing
from notes_service.repository.imports import Outcome
from notes_service.transfer.archive_reader import Found
from notes_service.transfer.note_file import NoteFile


async def import_note(write: Writing, found: Found) -> Outcome:
    """Raises `QuotaExceeded`. A file with the id of a note says what the note is to be, and takes it out of the trash.
    One without an id never changes a note that was made from it before, except for taking it out of the trash.
    """
    file = found.note
    note = await _existing(write, file.id or _own_id(write.actor.user_id, found))
    if isinstance(note, str):
        await write.save("create", _new(note, file))
        return "created"
    before = Draft.of(note)
    wanted = _as_in(file, before) if file.id else before
    if note.deleted_at is not None:
        await write.save("restore", wanted, note)
    elif wanted != before:
        await write.save("update", wanted, note)
    else:
        return "unchanged"
    return "updated"


async def _existing(write: Writing, note_id: str) -> Note | str:
    """The note, or the id that it will have."""
    try:
        return await write.note(note_id)
    except NotFound:
        return note_id


def _own_id(user_id: str, found: Found) -> str:
    """The same for the same file. Its text counts: two folders may each have a README."""
    file = found.note
    return str(uuid5(UUID(user_id), "\0".join((found.name, file.title, *file.tags, file.body))))


def _as_in(file: NoteFile, before: Draft) -> Draft:
    return replace(before, title=file.title, body=file.body, tags=file.tags, pinned=file.pinned, archived=file.archived)


def _new(note_id: str, file: NoteFile) -> Draft:
    """With the file's dates. One in the future would keep the note first in every list."""
    now = datetime.now(UTC)
    created = min(file.created or file.updated or now, now)
    updated = min(file.updated or file.created or now, now)
    return _as_in(file, Draft(note_id, "", "", [], created_at=created, updated_at=updated))
