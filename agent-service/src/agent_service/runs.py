"""Runs as the user asks for them: begun, looked at, decided, cancelled, told again."""

import asyncio
from weakref import WeakValueDictionary

import structlog
from contracts.chat import DecideCalls, Run, RunRef, RunStarted, StartRun, StoredEvents
from contracts.errors import RateLimited
from contracts.user_events import ConversationChanged
from nats.errors import Error

from agent_service.replay import rebuilt
from agent_service.repository import AllowanceRepository, NewRun, RunRepository
from agent_service.repository.values import plain_text
from agent_service.worker import Worker
from agent_service.worker.execution import Workshop
from agent_service.worker.jobs import Job, publish_job
from contracts import subjects

log = structlog.stdlib.get_logger()

TITLE_CHARACTERS = 60


class Runs:
    def __init__(self, shop: Workshop, runs: RunRepository, allowances: AllowanceRepository, worker: Worker) -> None:
        self.nc = shop.nc
        self.signals = shop.signals
        self.approvals = shop.approvals
        self.record = shop.record
        self.runs = runs
        self.allowances = allowances
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.worker = worker

    async def start(self, request: StartRun) -> RunStarted:
        """Raises `RateLimited`, but not for a request that is known already."""
        new = self._new(request)
        async with self._turns.setdefault(new.user_id, asyncio.Lock()):  # so that many at once do not slip through
            try:
                await self.allowances.check(new.user_id)
            except RateLimited:
                known = await self.runs.known(new)
                if known is None:
                    raise
                return known
            started, begun = await self.runs.start(new)
        if begun:
            await self._offer(started.run_id, request.actor.user_id, "begun")
            await self._signal_start(request, started)
        return started

    def _new(self, request: StartRun) -> NewRun:
        text = plain_text(request.message)
        return NewRun(
            id=request.run_id,
            user_id=request.actor.user_id,
            username=plain_text(request.username),
            conversation_id=request.conversation_id,
            client_request_id=request.client_request_id,
            note_id=request.note_id,
            text=text,
            title=title_of(text),
            approval=request.approval,
            instructions=plain_text(request.instructions),
        )

    async def _offer(self, run_id: str, user_id: str, reason: str) -> None:
        try:
            await publish_job(self.nc, Job(run_id=run_id, user_id=user_id), reason)
        except Error as error:  # the run is stored: the sweeper offers it
            log.warning("run not offered", run_id=run_id, error=repr(error))

    async def _signal_start(self, request: StartRun, started: RunStarted) -> None:
        user_id, conversation_id = request.actor.user_id, started.conversation_id
        op = "create" if request.conversation_id is None else "update"
        await self.signals.conversation_changed(user_id, ConversationChanged(op=op, id=conversation_id))
        await self.signals.run_changed(user_id, started.run_id, conversation_id, "queued")

    async def get(self, request: RunRef) -> Run:
        user_id, run_id = request.actor.user_id, request.run_id
        run = await self.runs.get(user_id, run_id)
        if run.finished_at is None:
            run.pending = await self.approvals.pending(user_id, run_id)
        return run

    async def decide(self, request: DecideCalls) -> Run:
        """The run goes on at once with what is decided, and waits again for the rest."""
        user_id, run_id = request.actor.user_id, request.run_id
        await self.approvals.decide(user_id, run_id, request.decisions, request.actor.kind)
        run = await self.get(RunRef(actor=request.actor, run_id=run_id))
        await self._offer(run_id, user_id, f"decided {request.decisions[0].call_id}")
        await self.signals.run_changed(user_id, run_id, run.conversation_id, run.status)
        return run

    async def cancel(self, request: RunRef) -> Run:
        """Reaches the worker wherever it is; a run without one is ended here."""
        run, held = await self.runs.request_cancel(request.actor.user_id, request.run_id)
        await self.nc.publish(subjects.run_control(run.id))
        if not held:
            self.worker.take(request.actor.user_id, run.id)
        return run

    async def replay(self, request: RunRef) -> StoredEvents:
        """A finished run's events from what is stored; none for a run that is not over."""
        user_id, run_id = request.actor.user_id, request.run_id
        await self.runs.get(user_id, run_id)
        ending = await self.record.ending(user_id, run_id)
        if ending is None:
            return StoredEvents(events=[])
        return rebuilt(run_id, ending, await self.record.of_run(user_id, run_id))


def title_of(message: str) -> str:
    """A conversation's title from its first message: its first words, on one line."""
    words = " ".join(message.split())
    if len(words) <= TITLE_CHARACTERS:
        return words
    return words[:TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,.;:-") + "…"
