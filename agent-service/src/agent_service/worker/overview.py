"""What the notes service says of the user's notes, asked while the conversation is read."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime

from nats.aio.client import Client

from agent_service.repository import ClaimedRun
from contracts import notes
from contracts.actor import Actor
from contracts.errors import DomainError
from contracts.operation import Operation, RequestT, ResponseT
from servicekit import rpc

SECONDS = 2.0
NEWEST = 10


@dataclass(frozen=True)
class Known:
    """What the prompt says of the user's notes. None: the notes service does not answer, and the assistant can do
    without; or there is no such note."""

    overview: notes.NotesOverview | None
    opened: notes.Note | None

    def versions(self, before: datetime | None) -> dict[str, int]:
        """Of the notes that the prompt names; `before`: only of those that nobody has changed since then."""
        named: list[notes.NoteHead] = [*(self.overview.newest if self.overview else ()), *filter(None, [self.opened])]
        return {note.id: note.version for note in named if before is None or note.updated_at < before}


async def look_around(nc: Client, run: ClaimedRun, meanwhile: Coroutine[None, None, None]) -> Known:
    actor = Actor(kind="agent", user_id=run.user_id, run_id=run.id)
    overview, opened, _ = await asyncio.gather(
        _ask(nc, notes.OVERVIEW, notes.GetOverview(actor=actor, newest=NEWEST)),
        _ask(nc, notes.GET, notes.GetNote(actor=actor, id=run.note_id)) if run.note_id else _nothing(),
        meanwhile,
    )
    return Known(overview, opened if opened and opened.deleted_at is None else None)


async def _ask(nc: Client, operation: Operation[RequestT, ResponseT], request: RequestT) -> ResponseT | None:
    try:
        return await rpc.call(nc, operation, request, SECONDS)
    except DomainError:
        return None


async def _nothing() -> None:
    return None
