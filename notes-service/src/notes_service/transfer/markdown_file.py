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
    fields, body = split.fields, split.body
    times = fields.keys() & {"created", "updated"}
    dates = {} if times else {key: modified for key in ("created", "updated") if modified}
    name = first_heading(body) or _stem(file_name) or UNTITLED
    title = fields.get("title", "")
    if isinstance(title, str) and not title.strip(front_matter.BLANK):
        fields["title"] = name
    return NoteFile.checked(dates | fields | {"body": body}, name, split.left_out)


def _stem(file_name: str) -> str:
    """The file's name without folder and extension, in NFC: macOS decomposes letters and accents."""
    return as_title(unicodedata.normalize("NFC", PurePosixPath(file_name).stem))
