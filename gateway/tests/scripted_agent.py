"""A scripted agent service: a real peer on the broker that publishes what a test tells it to."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from nats.aio.client import Client

from contracts import chat, subjects
from contracts.errors import DomainError, NotFound, RunActive, ServiceUnavailable
from contracts.ids import new_id
from contracts.operation import Empty
from contracts.run_events import (
    BEFORE_FIRST,
    CallWaiting,
    Done,
    Envelope,
    EventId,
    MessageDone,
    RunBegan,
    RunEvent,
    Token,
    Usage,
    join_frames,
)
from servicekit.rpc import Handlers, serve
from standalone.testing import SLOW_SECONDS


@dataclass
class ScriptedRun:
    """`published`: its events in order. `retained`: those that the database retains. `rebuilt`: those from the log."""

    id: str
    user_id: str
    conversation_id: str
    request: chat.StartRun | None = None
    status: chat.RunStatus = "running"
    attempt: int = 1
    published: list[Envelope] = field(default_factory=list[Envelope])
    pending: list[CallWaiting] = field(default_factory=list[CallWaiting])
    decided: list[chat.Decision] = field(default_factory=list[chat.Decision])
    undone: bool = False
    rebuilt: list[chat.RebuiltEvent] = field(default_factory=list[chat.RebuiltEvent])
    retained: list[Envelope] = field(default_factory=list[Envelope])

    def answer(self) -> chat.Run:
        return chat.Run(
            id=self.id,
            conversation_id=self.conversation_id,
            status=self.status,
            attempt=self.attempt,
            last_event_id=str(self.published[-1].id if self.published else BEFORE_FIRST),
            usage=Usage(),
            created_at=datetime.now(UTC),
            pending=self.pending,
        )


class ScriptedAgent:
    """`on_start` is run for each new run; without one a run emits only what the test emits. While `away` is set
    requests about runs are not answered."""

    def __init__(self, nc: Client) -> None:
        self.nc = nc
        self.js = nc.jetstream(timeout=SLOW_SECONDS)
        self.asked_days = 0
        self.runs: dict[str, ScriptedRun] = {}
        self.conversations: dict[str, tuple[str, chat.Conversation]] = {}
        self.page_messages = chat.MESSAGES_PAGE_MAX
        self.on_start: Callable[[ScriptedRun], Awaitable[None]] | None = None
        self.refuse_with: DomainError | None = None
        self.away = asyncio.Event()
        self.branched: list[chat.EditMessage | chat.Regenerate] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def new_run(self, user_id: str) -> ScriptedRun:
        run = ScriptedRun(new_id(), user_id, new_id())
        self.runs[run.id] = run
        return run

    async def emit(self, run: ScriptedRun, event: RunEvent, *, stored: bool = True) -> Envelope:
        """The next event, in a segment of its own. Not `stored`: subscribers receive it, the log never has it."""
        envelope = Envelope.of(len(run.published) + 1, run.attempt, event)
        run.published.append(envelope)
        await self.tell(run, envelope)
        if stored:
            await self.store(run, envelope)
        return envelope

    async def tell(self, run: ScriptedRun, *events: Envelope) -> None:
        """Live only."""
        await self.nc.publish(subjects.user_live(run.user_id, run.id), join_frames(events))

    async def store(self, run: ScriptedRun, *events: Envelope, again: int = 0) -> None:
        """In the log, as one segment. `again`: a repeat that the stream does not recognise as one."""
        headers = {"Nats-Msg-Id": f"{run.id}.{events[-1].id}" + (f".{again}" if again else "")}
        await self.js.publish(subjects.run_log(run.user_id, run.id), join_frames(events), headers=headers)

    async def whole(self, run: ScriptedRun, tokens: int = 5, **done: Any) -> None:
        """A short answer from beginning to end."""
        await self.emit(run, RunBegan(run_id=run.id, conversation_id=run.conversation_id, model="m", mode="demo"))
        for number in range(tokens):
            await self.emit(run, Token(token=f"{number} "))
        await self.emit(run, MessageDone(message_id=new_id(), text="".join(f"{n} " for n in range(tokens))))
        await self.end(run, **done)

    async def end(self, run: ScriptedRun, status: Any = "completed") -> None:
        run.status = status
        await self.emit(run, Done(status=status))

    def handlers(self) -> Handlers:
        handlers = Handlers()
        handlers.add(chat.STATUS, self._status)
        handlers.add(chat.MODELS, self._models)
        handlers.add(chat.RUN_START, self._start)
        handlers.add(chat.RUN_EDIT, self._branch)
        handlers.add(chat.RUN_REGENERATE, self._branch)
        handlers.add(chat.RUN_REPLACED, self._replaced)
        handlers.add(chat.RUN_GET, self._get)
        handlers.add(chat.RUN_CANCEL, self._cancel)
        handlers.add(chat.RUN_DECIDE, self._decide)
        handlers.add(chat.RUN_UNDONE, self._undone)
        handlers.add(chat.RUN_REPLAY, self._replay)
        handlers.add(chat.RUN_RETAINED_EVENTS, self._retained)
        handlers.add(chat.CONVERSATION_LIST, self._list)
        handlers.add(chat.CONVERSATION_CREATE, self._create)
        handlers.add(chat.CONVERSATION_GET, self._conversation)
        handlers.add(chat.CONVERSATION_SUMMARY_UPDATE, self._update_summary)
        handlers.add(chat.CONVERSATION_UPDATE, self._update)
        handlers.add(chat.CONVERSATION_DELETE, self._delete)
        handlers.add(chat.CONVERSATION_USAGE, self._usage)
        handlers.add(chat.USAGE_DAILY, self._daily_usage)
        return handlers

    async def _status(self, _: Empty) -> chat.ModelStatus:
        return chat.ModelStatus(mode="demo", model="scripted", provider="test")

    async def _models(self, _: Empty) -> chat.AvailableModels:
        models = [chat.AvailableModel(id="scripted", label="Scripted", provider="test", reasoning=["low", "high"])]
        return chat.AvailableModels(models=models, default="scripted")

    async def _start(self, request: chat.StartRun) -> chat.RunStarted:
        if self.refuse_with:
            raise self.refuse_with
        user_id = request.actor.user_id
        for run in self.runs.values():
            known = run.request.client_request_id if run.request else None
            if run.user_id == user_id and known and known == request.client_request_id:
                return chat.RunStarted(run_id=run.id, conversation_id=run.conversation_id)
        if request.conversation_id:
            if self.conversations.get(request.conversation_id, ("", None))[0] != user_id:
                raise NotFound
            for run in self.runs.values():
                if run.conversation_id == request.conversation_id and run.status == "running":
                    raise RunActive(run_id=run.id)
        run = ScriptedRun(request.run_id, user_id, request.conversation_id or new_id(), request)
        self.runs[run.id] = run
        if self.on_start:
            task = asyncio.ensure_future(self.on_start(run))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return chat.RunStarted(run_id=run.id, conversation_id=run.conversation_id)

    async def _branch(self, request: chat.EditMessage | chat.Regenerate) -> chat.RunStarted:
        ref = chat.ConversationRef(actor=request.actor, conversation_id=request.conversation_id)
        self._owned(ref)
        self.branched.append(request)
        return chat.RunStarted(run_id=request.run_id, conversation_id=request.conversation_id)

    async def _replaced(self, request: chat.FindReplacedRuns) -> chat.ReplacedRuns:
        """All runs of the conversation."""
        runs = [run for run in self.runs.values() if run.conversation_id == request.conversation_id and not run.undone]
        return chat.ReplacedRuns(run_ids=[run.id for run in reversed(runs)])

    def _run(self, request: chat.RunRef) -> ScriptedRun:
        run = self.runs.get(request.run_id)
        if run is None or run.user_id != request.actor.user_id:
            raise NotFound
        return run

    async def _get(self, request: chat.RunRef) -> chat.Run:
        if self.away.is_set():
            raise ServiceUnavailable
        return self._run(request).answer()

    async def _cancel(self, request: chat.RunRef) -> chat.Run:
        run = self._run(request)
        if run.status == "running":
            await self.end(run, "cancelled")
        return run.answer()

    async def _decide(self, request: chat.DecideCalls) -> chat.Run:
        run = self._run(request)
        known = {call.call_id for call in run.pending}
        if not {decision.call_id for decision in request.decisions} <= known:
            raise NotFound
        run.decided += request.decisions
        return run.answer()

    async def _undone(self, request: chat.RunRef) -> Empty:
        self._run(request).undone = True
        return Empty()

    async def _replay(self, request: chat.RunRef) -> chat.RebuiltEvents:
        return chat.RebuiltEvents(events=self._run(request).rebuilt)

    async def _retained(self, request: chat.ReadRetainedEvents) -> chat.RetainedEvents:
        """Pages of three."""
        if self.away.is_set():
            raise ServiceUnavailable
        after = EventId(request.after_attempt, request.after)
        following = [event for event in self._run(request).retained if event.id > after][:3]
        return chat.RetainedEvents(
            events=[
                chat.RetainedEvent(id=event.seq, attempt=event.attempt, event=event.event, data=event.data.decode())
                for event in following
            ]
        )

    async def _list(self, request: chat.ListConversations) -> chat.ConversationPage:
        mine = [c for owner, c in self.conversations.values() if owner == request.actor.user_id]
        return chat.ConversationPage(conversations=[chat.ConversationSummary(**dict(c)) for c in mine])

    async def _create(self, request: chat.CreateConversation) -> chat.Conversation:
        now = datetime.now(UTC)
        made = chat.Conversation(
            id=new_id(),
            title=request.title or "New conversation",
            instructions=request.instructions,
            created_at=now,
            updated_at=now,
            messages=[],
        )
        self.conversations[made.id] = (request.actor.user_id, made)
        return made

    def _owned(self, request: chat.ConversationRef) -> chat.Conversation:
        owner, conversation = self.conversations.get(request.conversation_id, ("", None))
        if owner != request.actor.user_id or conversation is None:
            raise NotFound
        return conversation

    async def _conversation(self, request: chat.GetConversation) -> chat.Conversation:
        """At most `page_messages` at once, as an agent service does with long ones."""
        conversation = self._owned(request)
        ids = [message.id for message in conversation.messages]
        end = len(ids) if request.before is None else ids.index(request.before)
        begin = max(end - min(request.limit, self.page_messages), 0)
        page = {"messages": conversation.messages[begin:end], "has_earlier": begin > 0}
        return conversation.model_copy(update=page)

    async def _update_summary(self, request: chat.UpdateSummary) -> chat.Summary:
        summary = self._owned(request).summary
        if summary is None or summary.message_id != request.message_id:
            raise NotFound
        summary.text = request.text
        return summary

    async def _update(self, request: chat.UpdateConversation) -> chat.ConversationSummary:
        conversation = self._owned(request)
        if request.title is not None:
            conversation.title = request.title
        if request.instructions is not None:
            conversation.instructions = request.instructions
        if request.current_message_id is not None:
            conversation.current_message_id = request.current_message_id
        return conversation

    async def _usage(self, request: chat.ChatRequest) -> chat.ConversationUsage:
        owners = [user_id for user_id, _ in self.conversations.values()]
        return chat.ConversationUsage(conversations=owners.count(request.actor.user_id), conversations_max=1000)

    async def _daily_usage(self, request: chat.ListDailyUsage) -> chat.DailyUsage:
        self.asked_days = request.days
        day = chat.ModelDay(day=date(2026, 11, 28), model="scripted", requests=1, cost=Decimal("0.10"), currency="EUR")
        return chat.DailyUsage(days=[day])

    async def _delete(self, request: chat.ConversationRef) -> Empty:
        self._owned(request)
        del self.conversations[request.conversation_id]
        return Empty()


@asynccontextmanager
async def scripted_agent(nc: Client) -> AsyncGenerator[ScriptedAgent]:
    agent = ScriptedAgent(nc)
    async with serve(nc, "agent-service", "0.0.1", agent.handlers(), queue_group=chat.QUEUE_GROUP):
        yield agent
