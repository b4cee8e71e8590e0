"""A note as the text of a Markdown file with front matter, and any Markdown file as a note."""

import unicodedata
from datetime import datetime
from pathlib import PurePosixPath

from notes_service.transfer import front_matter
from notes_service.transfer.headings import as_title, first_heading
from notes_service.transfer.note_file import NoteFile

UNTITLED = "Untitled"


def render(note: NoteFile) -> str:
    """The front matter, followed by the unchanged body."""
    return front_matter.write(note) + note.body


def parse(text: str, *, file_name: str, modified: datetime | None = None) -> NoteFile:
    """The note in a file, with or without front matter; missing fields come from its heading, name and date.

    Raises `Unreadable` for a body that exceeds a limit.
    """
    split = front_matter.split(text)
    fields = split.fields
    if modified and not fields.keys() & {"created", "updated"}:
        fields |= dict.fromkeys(("created", "updated"), modified)
    fields.setdefault("title", first_heading(split.body) or _stem(file_name) or UNTITLED)
    note = NoteFile.checked(**fields, properties=split.properties, body=split.body, left_out=tuple(split.left_out))
    is_our_own = split.source == front_matter.write(note)
    return note if is_our_own else note.model_copy(update={"front_matter": split.source})


def _stem(file_name: str) -> str:
    """The file's name without folder and extension, in NFC: macOS decomposes letters and accents."""
    return as_title(unicodedata.normalize("NFC", PurePosixPath(file_name).stem))
