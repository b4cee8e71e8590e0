"""A note as the text of a Markdown file with front matter, and any Markdown file as a note."""

import unicodedata
from datetime import datetime
from pathlib import PurePosixPath

from notes_service.transfer import front_matter
from notes_service.transfer.headings import as_title, first_heading
from notes_service.transfer.note_file import NoteFile

UNTITLED = "Untitled"
BLANK = " \t\r\n"
"""The characters that are stripped from a title when it is stored; Python strips more."""


def render(note: NoteFile) -> str:
    """The front matter, followed by the unchanged body."""
    return front_matter.write(note) + note.body


def parse(text: str, *, file_name: str, modified: datetime | None = None) -> NoteFile:
    """The note in a file, with or without front matter; missing fields come from its heading, name and date.

    Raises `Unreadable` for invalid front matter and for a note that exceeds a limit.
    """
    fields, body = front_matter.split(text)
    title = fields.get("title", "")
    if isinstance(title, str) and not title.strip(BLANK):
        fields["title"] = first_heading(body) or _stem(file_name) or UNTITLED
    dates = {key: modified for key in ("created", "updated") if modified and not fields.keys() & {"created", "updated"}}
    return NoteFile.checked(dates | fields | {"body": body})


def _stem(file_name: str) -> str:
    """The file's name without folder and extension, in NFC: macOS decomposes letters and accents."""
    return as_title(unicodedata.normalize("NFC", PurePosixPath(file_name).stem))
