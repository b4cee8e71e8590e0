"""Tools that look: list_notes, read_note, search_notes."""

import html
import re
from typing import Annotated, Any

from pydantic import Field

from agent_service.tools.requests import ask
from agent_service.tools.tool import Arguments, Caller, Outcome, Tool
from contracts import notes
from contracts.ids import Id

MOST_NOTES = 50
_MARK = re.compile(r"</?mark>")

Limit = Annotated[int, Field(ge=1, le=MOST_NOTES, description="How many notes at most")]


class ListNotes(Arguments):
    limit: Limit = 20
    tag: Annotated[notes.Tag, Field(description="Only notes with this tag")] | None = None
    archived: Annotated[bool, Field(description="The archived notes instead of the others")] = False
    cursor: Annotated[str, Field(max_length=1000, description="`next_cursor` of the page before")] | None = None


class ReadNote(Arguments):
    note_id: Annotated[Id, Field(description="The note's id")]


class SearchNotes(Arguments):
    query: Annotated[notes.SearchQuery, Field(description="Words to look for")]
    limit: Limit = 10


def brief(note: notes.NoteSummary) -> dict[str, Any]:
    """A note as the model sees it in a list; what is the usual case is left out."""
    shown: dict[str, Any] = {"id": note.id, "title": note.title, "preview": note.preview, "version": note.version}
    shown |= {name: True for name in ("pinned", "archived") if getattr(note, name)}
    return (shown | {"tags": note.tags} if note.tags else shown) | {"updated_at": note.updated_at}


async def _list(caller: Caller, arguments: ListNotes) -> Outcome:
    page = await ask(caller, notes.LIST, notes.ListNotes(actor=caller.actor, **arguments.model_dump()))
    result: dict[str, Any] = {"notes": [brief(note) for note in page.notes]}
    return Outcome(result | {"next_cursor": page.next_cursor} if page.next_cursor else result)


async def _read(caller: Caller, arguments: ReadNote) -> Outcome:
    note = await ask(caller, notes.GET, notes.GetNote(actor=caller.actor, id=arguments.note_id))
    shown = note.model_dump(include={"id", "title", "body", "tags", "pinned", "archived", "version", "updated_at"})
    return Outcome(shown | {"in_trash": True} if note.deleted_at else shown)


async def _search(caller: Caller, arguments: SearchNotes) -> Outcome:
    request = notes.SearchNotes(actor=caller.actor, q=arguments.query, limit=arguments.limit)
    found = await ask(caller, notes.SEARCH, request)
    return Outcome({"notes": [brief(hit.note) | {"snippet": _plain(hit.snippet)} for hit in found.results]})


def _plain(snippet: str) -> str:
    return html.unescape(_MARK.sub("", snippet))


READING = (
    Tool(
        "list_notes",
        "Lists the user's notes, pinned first, then newest, with a preview of each, page by page.",
        ListNotes,
        _list,
    ),
    Tool("read_note", "Reads one note whole.", ReadNote, _read),
    Tool("search_notes", "Finds notes by the words in their title, body and tags.", SearchNotes, _search),
)
