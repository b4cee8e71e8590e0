"""Requests about the links between notes: `[[title]]` or `[[title|what is shown]]` in a text."""

from pydantic import Field

from contracts.ids import Id
from contracts.notes import NotePage, NoteRequest, PageSize
from contracts.operation import Operation

LINKS_MAX = 500
"""Different titles in one note's text that count as links: the first ones."""


class ListBacklinks(NoteRequest):
    """The notes outside the trash that link to this one's title as it is now, whatever its case and accents, the newest
    first. A note in the trash still has backlinks."""

    id: Id
    limit: PageSize = 50
    cursor: str | None = Field(default=None, max_length=1000)


BACKLINKS = Operation("notes.backlinks", ListBacklinks, NotePage)
