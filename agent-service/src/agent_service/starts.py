"""Runs begun: for a message, for another in its place, for another answer."""

import asyncio
import re
from weakref import WeakValueDictionary

from nats.aio.client import Client

from agent_service.repository import AllowanceRepository, BranchRepository, Fork, NewRun, RunRepository
from agent_service.repository.values import plain_text
from agent_service.signals import Signals
from agent_service.worker.jobs import Job, offer_job
from contracts.chat import EditMessage, Regenerate, RunRequest, RunStarted, StartRun
from contracts.errors import ValidationFailed
from contracts.user_events import ConversationChanged

TITLE_CHARACTERS = 60
NOTE_LINK = re.compile(r"\[((?:\\.|[^\[\]\\])+)\]\(/notes/[0-9a-fA-F-]{36}\)")


class Starts:
    """All raise `RateLimited`, but not for a request that is known already, and `RunActive`, `NotFound`."""

    def __init__(
        self,
        nc: Client,
        signals: Signals,
        runs: RunRepository,
        branches: BranchRepository,
        allowed: AllowanceRepository,
    ) -> None:
        self.nc = nc
        self.signals = signals
        self.runs = runs
        self.branches = branches
        self.allowances = allowed
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def start(self, request: StartRun) -> RunStarted:
        return await self._begin(_new(request, request.conversation_id, request.message))

    async def edit(self, request: EditMessage) -> RunStarted:
        """Raises `ValidationFailed` where the message is the assistant's."""
        said = await self.branches.message(request.actor.user_id, request.conversation_id, request.message_id)
        if said.role != "user":
            raise ValidationFailed(errors=[{"field": "message_id", "message": "Only your own messages can be edited"}])
        fork = Fork(parent_id=said.parent_id)
        return await self._begin(_new(request, request.conversation_id, request.message, fork, said.note_id))

    async def regenerate(self, request: Regenerate) -> RunStarted:
        said = await self.branches.message(request.actor.user_id, request.conversation_id, request.message_id)
        fork = Fork(answered=said.answers)
        return await self._begin(_new(request, request.conversation_id, said.answers_text, fork, said.note_id))

    async def _begin(self, new: NewRun) -> RunStarted:
        async with self._turns.setdefault(new.user_id, asyncio.Lock()):  # a user holds one connection at most
            started, begun = await self.runs.start(new, self.allowances)
        if begun:
            await offer_job(self.nc, Job(run_id=started.run_id, user_id=new.user_id), "begun")
            op = "create" if new.conversation_id is None else "update"
            await self.signals.conversation_changed(new.user_id, ConversationChanged(op=op, id=started.conversation_id))
            await self.signals.run_changed(new.user_id, started.run_id, started.conversation_id, "queued")
        return started


def _new(
    request: RunRequest, conversation_id: str | None, message: str, fork: Fork | None = None, note_id: str | None = None
) -> NewRun:
    """`note_id`: the one that was open when the message was first said."""
    text = plain_text(message)
    return NewRun(
        id=request.run_id,
        user_id=request.actor.user_id,
        username=plain_text(request.username),
        conversation_id=conversation_id,
        client_request_id=request.client_request_id,
        note_id=request.note_id or note_id,
        text=text,
        title=title_of(text),
        approval=request.approval,
        instructions=plain_text(request.instructions),
        fork=fork,
    )


def title_of(message: str) -> str:
    """A conversation's title from its first message: its first words, on one line."""
    words = " ".join(NOTE_LINK.sub(lambda link: re.sub(r"\\(.)", r"\1", link[1]), message).split())
    if len(words) <= TITLE_CHARACTERS:
        return words
    return words[:TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,.;:-") + "…"
