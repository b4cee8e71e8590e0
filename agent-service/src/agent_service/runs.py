"""Runs as the user asks for them: looked at, decided, cancelled, told again."""

from agent_service.replay import rebuilt
from agent_service.repository import RunRepository
from agent_service.worker import Worker
from agent_service.worker.execution import Workshop
from agent_service.worker.jobs import Job, offer_job
from contracts import subjects
from contracts.chat import DecideCalls, ReadRetainedEvents, RebuiltEvents, RetainedEvent, RetainedEvents, Run, RunRef
from contracts.operation import Empty
from contracts.user_events import ConversationChanged


class Runs:
    def __init__(self, shop: Workshop, runs: RunRepository, worker: Worker) -> None:
        self.nc = shop.nc
        self.signals = shop.signals
        self.approvals = shop.approvals
        self.record = shop.record
        self.kept_events = shop.kept
        self.runs = runs
        self.worker = worker

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
        await offer_job(self.nc, Job(run_id=run_id, user_id=user_id), f"decided {request.decisions[0].call_id}")
        await self.signals.run_changed(user_id, run_id, run.conversation_id, run.status)
        return run

    async def cancel(self, request: RunRef) -> Run:
        """Reaches the worker wherever it is; a run without one is ended here."""
        run, held = await self.runs.request_cancel(request.actor.user_id, request.run_id)
        await self.nc.publish(subjects.run_control(run.id))
        if not held:
            self.worker.take(request.actor.user_id, run.id)
        return run

    async def undone(self, request: RunRef) -> Empty:
        """RequestT again it is told again: whoever missed it the first time hears of it then."""
        user_id = request.actor.user_id
        conversation_id = await self.runs.mark_undone(user_id, request.run_id)
        await self.signals.conversation_changed(user_id, ConversationChanged(op="update", id=conversation_id))
        return Empty()

    async def replay(self, request: RunRef) -> RebuiltEvents:
        """A finished run's events from what is stored; none for a run that is not over."""
        user_id, run_id = request.actor.user_id, request.run_id
        await self.runs.get(user_id, run_id)
        ending = await self.record.ending(user_id, run_id)
        if ending is None:
            return RebuiltEvents(events=[])
        return rebuilt(run_id, ending, await self.record.of_run(user_id, run_id))

    async def kept(self, request: ReadRetainedEvents) -> RetainedEvents:
        """What a run had told before it waited, for a reader who finds it no more in the stream."""
        user_id, run_id = request.actor.user_id, request.run_id
        await self.runs.get(user_id, run_id)
        events = await self.kept_events.after(user_id, run_id, request.after)
        return RetainedEvents(
            events=[RetainedEvent(id=e.seq, attempt=e.attempt, event=e.event, data=e.data.decode()) for e in events]
        )
