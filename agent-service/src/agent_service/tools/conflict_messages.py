"""Messages to the model about a note that it has not read in its current version, and what to do about it."""

from typing import Any

from contracts.errors import VersionConflict
from contracts.notes import Note

BODY_MAX_CHARACTERS = 32_000
"""A longer body is not included in a conflict: the model has to read the note."""

CHANGED = "Someone else changed this note in the meantime, so nothing was done."
USE_CURRENT = (
    "`current` is the note as it is now: make your change to that, keep what the other one wrote, and call again."
)
READ_AGAIN = "Read it again, make your change to what it says now, and call again."
NOT_READ = "You have not read this note in this conversation, so nothing was done: it may hold what you do not know."
READ_FIRST = "Read it with read_note, see whether the change is still right, and call again."


class NotRead(Exception):
    """The model tries to overwrite text that it has not read."""


def not_read() -> dict[str, Any]:
    return {"code": "not_read", "message": NOT_READ, "hint": READ_FIRST}


def conflict(error: VersionConflict) -> dict[str, Any]:
    note = Note.model_validate(error.details["current"])
    message = {"code": error.code, "message": CHANGED}
    if len(note.body) > BODY_MAX_CHARACTERS:
        return message | {"hint": READ_AGAIN}
    current = note.model_dump(mode="json", include={"id", "title", "body", "tags", "pinned", "archived", "version"})
    return message | {"hint": USE_CURRENT, "current": current}
