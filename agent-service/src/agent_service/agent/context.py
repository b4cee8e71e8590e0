"""The state of one attempt of a run, which the SDK passes to hooks, tools and the model."""

import asyncio
from collections import defaultdict
from contextlib import AbstractAsyncContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field

from nats.aio.client import Client

from agent_service.agent.history import History
from agent_service.agent.read_versions import ReadVersions
from agent_service.prices import Prices
from agent_service.repository import AssistantMessage, ClaimedRun, ProgressRepository, RunRecordRepository
from agent_service.repository.values import plain_text
from agent_service.stream import RunPublisher
from contracts.ids import new_id
from contracts.run_events import Usage


@dataclass
class IncomingMessage:
    """The model's message while it streams in. It has its id from the start, so that a partial one can be stored under
    it. `announced`: names of the tool calls that were published, by call id.

    `spent`: by requests for this message that ended without a response, by model. `counted`: by the one that is under
    way, as far as its server has said. Most servers count only at the end of a response: of one that is stopped or
    broken off, they say nothing, and nothing is added, as no estimate is what they will charge.
    """

    message_id: str = field(default_factory=new_id)
    parts: list[str] = field(default_factory=list[str])
    announced: dict[str, str] = field(default_factory=dict[str, str])
    spent: dict[str, Usage] = field(default_factory=dict[str, Usage])
    counted: Usage = field(default_factory=Usage)

    @property
    def text(self) -> str:
        return plain_text("".join(self.parts))

    @property
    def is_visible(self) -> bool:
        """Whether the user has seen a part of it; then the request to the model cannot be repeated."""
        return bool(self.parts or self.announced)

    def usage(self, model: str) -> dict[str, Usage]:
        """Of all requests for this message so far, by model. `model`: has the one that is under way, which counts if it
        was answered in part."""
        is_answered = self.is_visible or self.counted.input_tokens + self.counted.output_tokens > 0
        return self.with_spent(model, self.counted.model_copy(update={"requests": 1})) if is_answered else self.spent

    def with_spent(self, model: str, usage: Usage) -> dict[str, Usage]:
        """What was spent, and by this model this much more."""
        return self.spent | {model: self.spent.get(model, Usage()) + usage}

    def start_over(self, model: str) -> None:
        """The request to this model has ended without a response, and another one follows."""
        self.spent, self.counted = self.usage(model), Usage()


@dataclass
class RunContext:
    """`next_item`: the next free number among the conversation's session items, 0 before the session is loaded.
    `history`: what the model is sent of the conversation before the run.

    `model`: the id of the model that answers now, and its `prices`; a fallback may have taken the place of the run's
    own.

    By call id: `pending_calls` wait for a decision, `requested_approvals` are those of them whose approval was
    requested in an event, `completed_calls` have a stored output. `tools_running` counts calls under way. `taken_over`:
    an earlier attempt may already have made this attempt's calls.
    """

    nc: Client
    run: ClaimedRun
    publisher: RunPublisher
    progress: ProgressRepository
    records: RunRecordRepository
    parent_id: str
    model: str
    prices: Prices | None = None
    next_item: int = 0
    history: History = field(default_factory=History)
    read_versions: ReadVersions = field(default_factory=ReadVersions)
    note_locks: defaultdict[str, asyncio.Lock] = field(
        default_factory=lambda: defaultdict[str, asyncio.Lock](asyncio.Lock)
    )
    incoming: IncomingMessage = field(default_factory=IncomingMessage)
    final_message: AssistantMessage | None = None
    """The newest response, if it calls no tool: it is stored together with the end of the run."""
    finish_reason: str = "stop"
    """Why the model's newest response ended."""
    completed_calls: set[str] = field(default_factory=set[str])
    pending_calls: set[str] = field(default_factory=set[str])
    requested_approvals: set[str] = field(default_factory=set[str])
    tools_running: int = 0
    preparation: ExitStack = field(default_factory=ExitStack)
    """Holds one of the places for runs in preparation; closed when the model is called."""
    taken_over: bool = False

    def priced(self, usage: Usage) -> Usage:
        """With its cost, if the model that answers now has a price."""
        return self.prices.priced(usage) if self.prices else usage

    def note_lock(self, note_id: str | None) -> AbstractAsyncContextManager[None]:
        """Serialises the calls of one model response on the same note, so that they do not conflict with each other."""
        return self.note_locks[note_id] if note_id else nullcontext()

    def reserve_items(self, count: int) -> int:
        """Reserves `count` consecutive session item numbers; returns the first."""
        first = self.next_item
        self.next_item += count
        return first
