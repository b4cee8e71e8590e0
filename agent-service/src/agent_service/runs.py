"""Runs as the user asks for them: begun, looked at, cancelled, told again."""

import structlog
from contracts.chat import Run, RunError, RunRef, RunStarted, StartRun, StoredEvent, StoredEvents
from contracts.run_events import Done, MessageDone, RunBegan, RunEvent, RunFailed, ToolCallBegan, Usage
from contracts.user_events import ConversationChanged
from nats.aio.client import Client
from nats.errors import Error
from pydantic import BaseModel

from agent_service.repository import NewRun, RecordRepository, RunRepository
from agent_service.repository.values import plain_text
from agent_service.signals import Signals
from agent_service.worker import Worker
from agent_service.worker.jobs import Job, publish_job
from agent_service.worker.takeover import call_events
from contracts import subjects

log = structlog.stdlib.get_logger()

TITLE_CHARACTERS = 60


class Runs:
    def __init__(
        self, nc: Client, runs: RunRepository, record: RecordRepository, worker: Worker, signals: Signals
    ) -> None:
        self.nc = nc
        self.runs = runs
        self.record = record
        self.worker = worker
        self.signals = signals

    async def start(self, request: StartRun) -> RunStarted:
        text = plain_text(request.message)
        started, begun = await self.runs.start(
            NewRun(
                id=request.run_id,
                user_id=request.actor.user_id,
                username=plain_text(request.username),
                conversation_id=request.conversation_id,
                client_request_id=request.client_request_id,
                note_id=request.note_id,
                text=text,
                title=title_of(text),
            )
        )
        if begun:
            await self._offer(started.run_id, request.actor.user_id)
            await self._signal_start(request, started)
        return started

    async def _offer(self, run_id: str, user_id: str) -> None:
        try:
            await publish_job(self.nc, Job(run_id=run_id, user_id=user_id), attempt=0)
        except Error as error:  # the run is stored: the sweeper offers it
            log.warning("run not offered", run_id=run_id, error=repr(error))

    async def _signal_start(self, request: StartRun, started: RunStarted) -> None:
        user_id, conversation_id = request.actor.user_id, started.conversation_id
        op = "create" if request.conversation_id is None else "update"
        await self.signals.conversation_changed(user_id, ConversationChanged(op=op, id=conversation_id))
        await self.signals.run_changed(user_id, started.run_id, conversation_id, "queued")

    async def get(self, request: RunRef) -> Run:
        return await self.runs.get(request.actor.user_id, request.run_id)

    async def cancel(self, request: RunRef) -> Run:
        """Reaches the worker wherever it is; a run without one is ended here."""
        run = await self.runs.request_cancel(request.actor.user_id, request.run_id)
        await self.nc.publish(subjects.run_control(run.id))
        if run.status == "queued":
            self.worker.take(request.actor.user_id, run.id)
        return run

    async def replay(self, request: RunRef) -> StoredEvents:
        """A finished run's events from what is stored; none for a run that is not over."""
        user_id, run_id = request.actor.user_id, request.run_id
        await self.runs.get(user_id, run_id)
        ending = await self.record.ending(user_id, run_id)
        if ending is None:
            return StoredEvents(events=[])
        record = await self.record.of_run(user_id, run_id)
        events: list[RunEvent] = [
            RunBegan(
                run_id=run_id,
                conversation_id=ending["conversation_id"],
                model=ending["model"],
                mode=ending["mode"],
            )
        ]
        for message in record.messages:
            if message.text:
                events.append(MessageDone(message_id=message.id, text=message.text))
            for call in (call for call in record.calls if call.message_id == message.id and call.status != "running"):
                events += [ToolCallBegan(call_id=call.call_id, name=call.name), *call_events(call)]
        if ending["error"] is not None:
            events.append(RunFailed.model_validate(RunError(**ending["error"]).model_dump()))
        usage = Usage(**{name: ending[name] for name in Usage.model_fields})
        events.append(Done(status=ending["status"], usage=usage, finish_reason=ending["finish_reason"]))
        return StoredEvents(events=[_stored(number, event) for number, event in enumerate(events, 1)])


def _stored(number: int, event: RunEvent) -> StoredEvent:
    data: BaseModel = event
    return StoredEvent(id=number, event=event.event, data=data.model_dump(mode="json", exclude_none=True))


def title_of(message: str) -> str:
    """A conversation's title from its first message: its first words, on one line."""
    words = " ".join(message.split())
    if len(words) <= TITLE_CHARACTERS:
        return words
    return words[:TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,.;:-") + "…"
