"""What the notes service is asked of the links between notes: `[[title]]` or `[[title|what is shown]]` in a text."""

from pydantic import Field

from contracts.ids import Id
from contracts.notes import NotePage, NoteRequest, PageSize
from contracts.operation import Operation

LINKS_MAX = 500
"""So many different titles of one note's text count, the first ones."""


class ListBacklinks(NoteRequest):
    """The notes outside the trash that link to this one's title as it is now, whatever the case and the accents; those
    made last come first. A note in the trash is still linked to."""

    id: Id
    limit: PageSize = 50
    cursor: str | None = Field(default=None, max_length=1000)


BACKLINKS = Operation("notes.backlinks", ListBacklinks, NotePage)
