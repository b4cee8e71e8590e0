"""A note as the text of a Markdown file with front matter, and any Markdown file as a note."""

import unicodedata
from datetime import datetime
from pathlib import PurePosixPath

from notes_service.transfer import front_matter
from notes_service.transfer.headings import as_title, first_heading
from notes_service.transfer.note_file import NoteFile

UNTITLED = "Untitled"
BLANK = " \t\r\n"
"""What a title is stripped of when it is stored; Python strips more."""


def render(note: NoteFile) -> str:
    """The body follows the front matter character for character."""
    return front_matter.write(note) + note.body


def parse(text: str, *, file_name: str, modified: datetime | None = None) -> NoteFile:
    """The note in a file, front matter or not; what the file leaves out comes from its heading, name and date.

    Raises `Unreadable` for front matter that cannot be read and for a note that breaks a limit.
    """
    fields, body = front_matter.split(text)
    title = fields.get("title", "")
    if isinstance(title, str) and not title.strip(BLANK):
        fields["title"] = first_heading(body) or _stem(file_name) or UNTITLED
    dates = {key: modified for key in ("created", "updated") if modified and not fields.keys() & {"created", "updated"}}
    return NoteFile.checked(dates | fields | {"body": body})


def _stem(file_name: str) -> str:
    """The file's name without folder and ending. Composed: macOS takes letters and their accents apart."""
    return as_title(unicodedata.normalize("NFC", PurePosixPath(file_name).stem))
