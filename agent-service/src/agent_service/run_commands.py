"""Commands on runs: start one, decide on its pending calls, cancel it, record that its changes were undone."""

import asyncio
import re
from dataclasses import replace
from weakref import WeakValueDictionary

from agent_service.repository import (
    BranchPoint,
    BranchRepository,
    Fork,
    NewRun,
    RunLimitRepository,
    RunRepository,
    Seen,
)
from agent_service.repository.values import plain_text
from agent_service.run_queries import RunQueries
from agent_service.worker import Worker
from agent_service.worker.execution import WorkerDeps
from agent_service.worker.jobs import RunJob, try_publish_job
from contracts import subjects
from contracts.chat import (
    DecideCalls,
    EditMessage,
    FindReplacedRuns,
    Regenerate,
    ReplacedRuns,
    Run,
    RunRef,
    RunRequest,
    RunStarted,
    StartRun,
)
from contracts.errors import ValidationFailed
from contracts.operation import Empty
from contracts.user_events import ConversationChanged

TITLE_CHARACTERS = 60
NOTE_LINK = re.compile(r"\[((?:\\.|[^\[\]\\])+)\]\(/notes/[0-9a-fA-F-]{36}\)")


class RunCommands:
    """`start`, `edit` and `regenerate` raise `RateLimited` (not for a repeated request), `RunActive` and `NotFound`;
    `start` also `StaleBranch`."""

    def __init__(
        self,
        deps: WorkerDeps,
        *,
        runs: RunRepository,
        branches: BranchRepository,
        limits: RunLimitRepository,
        queries: RunQueries,
        worker: Worker,
    ) -> None:
        self.nc = deps.nc
        self.models = deps.models
        self.signals = deps.signals
        self.approvals = deps.approvals
        self.runs = runs
        self.branches = branches
        self.limits = limits
        self.queries = queries
        self.worker = worker
        self._user_locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def start(self, request: StartRun) -> RunStarted:
        """Also raises `ValidationFailed` for a model that is not available and an effort that none has, but not to a
        repetition: its message is stored, whatever has become of the model since."""
        try:
            self.models.check(request.model, request.effort)
        except ValidationFailed:
            key = request.client_request_id
            started = None if key is None else await self.runs.started(request.actor.user_id, key)
            if started is None:
                raise
            return started
        seen = Seen(request.parent_message_id) if request.names_parent else None
        new = _new_run(request, request.conversation_id, request.message, seen=seen)
        return await self._start(
            replace(new, model=request.model, effort=request.effort, names_effort=request.names_effort)
        )

    async def edit(self, request: EditMessage) -> RunStarted:
        """Raises `ValidationFailed` if the message is the assistant's."""
        edited = await self._edited(request)
        fork = Fork(parent_id=edited.parent_id)
        return await self._start(_new_run(request, request.conversation_id, request.message, fork, edited.note_id))

    async def regenerate(self, request: Regenerate) -> RunStarted:
        point = await self._point(request)
        fork = Fork(question_id=point.question_id)
        return await self._start(_new_run(request, request.conversation_id, point.question_text, fork, point.note_id))

    async def replaced(self, request: FindReplacedRuns) -> ReplacedRuns:
        user_id, key = request.actor.user_id, request.client_request_id
        if key is not None and await self.runs.started(user_id, key):
            return ReplacedRuns(run_ids=[])
        if request.edited:
            fork = Fork(parent_id=(await self._edited(request)).parent_id)
        else:
            fork = Fork(question_id=(await self._point(request)).question_id)
        run_ids = await self.branches.replaced_runs(user_id, request.conversation_id, fork)
        await self.limits.check_another(self.branches.pool, user_id)
        return ReplacedRuns(run_ids=run_ids)

    async def _point(self, request: EditMessage | Regenerate | FindReplacedRuns) -> BranchPoint:
        return await self.branches.point(request.actor.user_id, request.conversation_id, request.message_id)

    async def _edited(self, request: EditMessage | FindReplacedRuns) -> BranchPoint:
        point = await self._point(request)
        if point.role != "user":
            raise ValidationFailed(errors=[{"field": "message_id", "message": "Only your own messages can be edited"}])
        return point

    async def decide(self, request: DecideCalls) -> Run:
        """Stores the decisions and continues the run at once; it waits again for the calls that are still pending."""
        user_id, run_id = request.actor.user_id, request.run_id
        await self.approvals.decide(user_id, run_id, request.decisions, request.actor.kind)
        run = await self.queries.get(RunRef(actor=request.actor, run_id=run_id))
        await try_publish_job(
            self.nc, RunJob(run_id=run_id, user_id=user_id), f"decided {request.decisions[0].call_id}"
        )
        await self.signals.run_changed(user_id, run_id, run.conversation_id, run.status)
        return run

    async def cancel(self, request: RunRef) -> Run:
        """Reaches the run's worker on whichever replica; a run that no worker holds is ended by this one."""
        run, held_or_over = await self.runs.request_cancel(request.actor.user_id, request.run_id)
        await self.nc.publish(subjects.run_control(run.id))
        if not held_or_over:
            self.worker.start_now(request.actor.user_id, run.id)
        return run

    async def mark_undone(self, request: RunRef) -> Empty:
        """Safe to repeat; each repetition sends the signal again."""
        user_id = request.actor.user_id
        conversation_id = await self.runs.mark_undone(user_id, request.run_id)
        await self.signals.conversation_changed(user_id, ConversationChanged(op="update", id=conversation_id))
        return Empty()

    async def _start(self, new: NewRun) -> RunStarted:
        # Starts of one user wait for each other in the database. Without this lock each of them would hold a connection
        # while it waits, and one user could use up the pool.
        async with self._user_locks.setdefault(new.user_id, asyncio.Lock()):
            with self.worker.place(new.user_id) as terms:
                begun = await self.runs.start(new, self.limits, terms)
                if begun.claimed is not None:
                    self.worker.start_claimed(begun.claimed)
        started = begun.started
        if begun.is_new:
            if begun.claimed is None:
                await try_publish_job(self.nc, RunJob(run_id=started.run_id, user_id=new.user_id), "begun")
            op = "create" if new.conversation_id is None else "update"
            status = "queued" if begun.claimed is None else "running"
            await self.signals.conversation_changed(new.user_id, ConversationChanged(op=op, id=started.conversation_id))
            await self.signals.run_changed(new.user_id, started.run_id, started.conversation_id, status)
        return started


def _new_run(
    request: RunRequest,
    conversation_id: str | None,
    message: str,
    fork: Fork | None = None,
    note_id: str | None = None,
    *,
    seen: Seen | None = None,
) -> NewRun:
    """`note_id`: the note that was open when the message was first sent."""
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
        seen=seen,
    )


def title_of(message: str) -> str:
    """A conversation's title: the first words of its first message, on one line."""
    words = " ".join(NOTE_LINK.sub(lambda link: re.sub(r"\\(.)", r"\1", link[1]), message).split())
    if len(words) <= TITLE_CHARACTERS:
        return words
    return words[:TITLE_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,.;:-") + "…"
