"""Queries about runs: their state, their usage by day, and their events once the stream has dropped them."""

from agent_service.rebuilt_events import rebuild_events
from agent_service.repository import RunRepository, UsageRepository
from agent_service.worker.execution import WorkerDeps
from contracts.chat import (
    DailyUsage,
    ListDailyUsage,
    ReadRetainedEvents,
    RebuiltEvents,
    RetainedEvent,
    RetainedEvents,
    Run,
    RunRef,
)
from contracts.run_events import EventId


class RunQueries:
    def __init__(self, deps: WorkerDeps, runs: RunRepository, usage: UsageRepository) -> None:
        self.approvals = deps.approvals
        self.records = deps.records
        self.retained = deps.retained
        self.runs = runs
        self.usage = usage

    async def get(self, request: RunRef) -> Run:
        user_id, run_id = request.actor.user_id, request.run_id
        run = await self.runs.get(user_id, run_id)
        if run.finished_at is None:
            run.pending = await self.approvals.pending(user_id, run_id)
        return run

    async def daily_usage(self, request: ListDailyUsage) -> DailyUsage:
        return await self.usage.daily(request.actor.user_id, request.days)

    async def replay(self, request: RunRef) -> RebuiltEvents:
        """A finished run's events, rebuilt from the database; none for an unfinished run."""
        user_id, run_id = request.actor.user_id, request.run_id
        await self.runs.get(user_id, run_id)
        finished = await self.records.finished(user_id, run_id)
        if finished is None:
            return RebuiltEvents(events=[])
        return rebuild_events(run_id, finished, await self.records.of_run(user_id, run_id))

    async def retained_events(self, request: ReadRetainedEvents) -> RetainedEvents:
        """What a run had published before it waited for approval, for readers who come after the stream's retention."""
        user_id, run_id = request.actor.user_id, request.run_id
        await self.runs.get(user_id, run_id)
        events = await self.retained.after(user_id, run_id, EventId(request.after_attempt, request.after))
        return RetainedEvents(
            events=[RetainedEvent(id=e.seq, attempt=e.attempt, event=e.event, data=e.data.decode()) for e in events]
        )
