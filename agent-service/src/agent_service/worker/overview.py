"""What the notes service says of the user's notes, asked while the conversation is read."""

import asyncio
from collections.abc import Coroutine

from contracts.actor import Actor
from contracts.errors import DomainError
from nats.aio.client import Client

from agent_service.repository import ClaimedRun
from contracts import notes, rpc

SECONDS = 2.0
NEWEST = 10


async def overview(nc: Client, run: ClaimedRun, meanwhile: Coroutine[None, None, None]) -> notes.NotesOverview | None:
    """None where the notes service does not answer: the assistant can do without."""
    asked, _ = await asyncio.gather(_ask(nc, run), meanwhile)
    return asked


async def _ask(nc: Client, run: ClaimedRun) -> notes.NotesOverview | None:
    actor = Actor(kind="agent", user_id=run.user_id, run_id=run.id)
    try:
        return await rpc.call(nc, notes.OVERVIEW, notes.GetOverview(actor=actor, newest=NEWEST), SECONDS)
    except DomainError:
        return None
