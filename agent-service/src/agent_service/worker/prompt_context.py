"""What the prompt says about the user's notes: requested from the notes service while the session is loaded."""

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

TIMEOUT_SECONDS = 2.0
NEWEST = 10


@dataclass(frozen=True)
class PromptContext:
    """None: the notes service did not answer in time, and the run goes on without; or there is no open note."""

    overview: notes.NotesOverview | None
    open_note: notes.Note | None

    def versions(self, before: datetime | None) -> dict[str, int]:
        """Versions of the notes that the prompt names; with `before`, only of those unchanged since then."""
        named: list[notes.NoteHead] = [
            *(self.overview.newest if self.overview else ()),
            *([self.open_note] if self.open_note else ()),
        ]
        return {note.id: note.version for note in named if before is None or note.updated_at < before}


async def load_prompt_context(nc: Client, run: ClaimedRun, meanwhile: Coroutine[None, None, None]) -> PromptContext:
    """Awaits `meanwhile` at the same time, and raises its errors."""
    actor = Actor(kind="agent", user_id=run.user_id, run_id=run.id)
    overview, open_note, _ = await asyncio.gather(
        _request(nc, notes.OVERVIEW, notes.GetOverview(actor=actor, newest=NEWEST)),
        _request(nc, notes.GET, notes.GetNote(actor=actor, id=run.note_id)) if run.note_id else _nothing(),
        meanwhile,
    )
    return PromptContext(overview, open_note if open_note and open_note.deleted_at is None else None)


async def _request(nc: Client, operation: Operation[RequestT, ResponseT], request: RequestT) -> ResponseT | None:
    try:
        return await rpc.call(nc, operation, request, TIMEOUT_SECONDS)
    except DomainError:
        return None


async def _nothing() -> None:
    return None
