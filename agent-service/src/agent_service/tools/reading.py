"""Tools that read: list_notes, read_note, search_notes."""

import html
import re
from typing import Any

from agent_service.tools.implementation import CallContext, Implementation, ToolOutcome
from agent_service.tools.requests import send
from contracts import notes, tools

_MARK = re.compile(r"</?mark>")
_READ_FIELDS = ("id", "title", "body", "tags", "pinned", "archived", "version", "updated_at")
"""In this order: the page shows the beginning of a long result."""


async def _list(call: CallContext, arguments: tools.ListNotes) -> ToolOutcome:
    page = await send(call, notes.LIST, notes.ListNotes(actor=call.actor, **arguments.model_dump()))
    result: dict[str, Any] = {"notes": [_summary(note) for note in page.notes]}
    return ToolOutcome(result | {"next_cursor": page.next_cursor} if page.next_cursor else result)


async def _read(call: CallContext, arguments: tools.ReadNote) -> ToolOutcome:
    note = await send(call, notes.GET, notes.GetNote(actor=call.actor, id=arguments.note_id))
    result = {name: getattr(note, name) for name in _READ_FIELDS}
    result |= {"properties": note.properties} if note.properties else {}
    return ToolOutcome(result | {"in_trash": True} if note.deleted_at else result)


async def _search(call: CallContext, arguments: tools.SearchNotes) -> ToolOutcome:
    request = notes.SearchNotes(actor=call.actor, q=arguments.query, limit=arguments.limit)
    found = await send(call, notes.SEARCH, request)
    hits = [_summary(hit.note) | {"snippet": _plain_snippet(hit.snippet)} for hit in found.results]
    result: dict[str, Any] = {"notes": hits}
    if found.total is not None and found.total > len(hits):
        result |= {"found": f"at least {found.total}" if found.total_is_minimum else found.total}
    return ToolOutcome(result)


def _summary(note: notes.NoteSummary) -> dict[str, Any]:
    """A note in a list for the model; fields with their usual value are left out."""
    summary: dict[str, Any] = {"id": note.id, "title": note.title, "preview": note.preview, "version": note.version}
    summary |= {name: True for name in ("pinned", "archived") if getattr(note, name)}
    return (summary | {"tags": note.tags} if note.tags else summary) | {"updated_at": note.updated_at}


def _plain_snippet(snippet: str) -> str:
    return html.unescape(_MARK.sub("", snippet))


READING = (
    Implementation(tools.LIST_NOTES, _list),
    Implementation(tools.READ_NOTE, _read),
    Implementation(tools.SEARCH_NOTES, _search),
)
