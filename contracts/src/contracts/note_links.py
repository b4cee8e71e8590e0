"""Requests about the links between notes.

A link is given as it is written: `[[…]]` with its brackets, or the destination of a Markdown link, `../Note.md#part`.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from contracts.ids import Id
from contracts.notes import NotePage, NoteRequest, PageSize, Title
from contracts.operation import Operation
from contracts.text import no_nul

LINKS_MAX = 500
"""Links in one note's text that are indexed: the first ones."""
RESOLVED_MAX = 100
"""Links in one request."""
LINK_MAX_CHARACTERS = 2_000
RELINKED_MAX = 100
"""Notes whose links are rewritten in one transaction."""

LinkText = Annotated[str, StringConstraints(min_length=1, max_length=LINK_MAX_CHARACTERS), AfterValidator(no_nul)]


class ListBacklinks(NoteRequest):
    """The notes outside the trash with a link that leads to this one, the newest first. A note in the trash still has
    backlinks.

    `former_title`: instead, the notes with a link that led to this one while it had that title and leads nowhere now.
    """

    id: Id
    limit: PageSize = 50
    cursor: str | None = Field(default=None, max_length=1000)
    former_title: Title | None = None


class ResolveLinks(NoteRequest):
    """Which notes these links lead to, in a text of the note `source_id`: of several notes with a name, the nearest."""

    source_id: Id | None = None
    links: Annotated[list[LinkText], Field(max_length=RESOLVED_MAX)]


class LinkedNote(BaseModel):
    id: Id
    title: str


class ResolvedLinks(BaseModel):
    """In the order of the request. None: no note has such a name, or it is no link to a note."""

    notes: list[LinkedNote | None]


class RelinkNotes(NoteRequest):
    """Rewrites the links that led to this note while it had `former_title`, and lead nowhere now. One page of notes at
    a time: to be repeated with `next_cursor`. A repeat changes nothing that is done."""

    id: Id
    former_title: Title
    cursor: str | None = Field(default=None, max_length=1000)


class RelinkedNotes(BaseModel):
    """`updated`: how many notes were changed. None as `next_cursor`: these were the last."""

    updated: int
    next_cursor: str | None = None


BACKLINKS = Operation("notes.backlinks", ListBacklinks, NotePage)
RESOLVE_LINKS = Operation("notes.links.resolve", ResolveLinks, ResolvedLinks)
RELINK = Operation("notes.links.relink", RelinkNotes, RelinkedNotes)
