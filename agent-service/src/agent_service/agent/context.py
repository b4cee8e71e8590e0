"""What a run carries through the SDK: whose it is, what was told of it, what may still be written for it."""

import asyncio
from collections import defaultdict
from contextlib import AbstractAsyncContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field

from nats.aio.client import Client

from agent_service.agent.seen import Seen
from agent_service.repository import ClaimedRun, ProgressRepository, RecordRepository
from agent_service.repository.values import plain_text
from agent_service.stream import RunStream
from contracts.ids import new_id


@dataclass
class Turn:
    """One answer of the model as it comes in. Its message has its id from the start, so that a part of it has, too."""

    message_id: str = field(default_factory=new_id)
    parts: list[str] = field(default_factory=list[str])
    announced: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def text(self) -> str:
        return plain_text("".join(self.parts))

    @property
    def shown(self) -> bool:
        """Whether the user has seen anything of it: then it cannot be begun again."""
        return bool(self.parts or self.announced)


@dataclass
class RunContext:
    """`seq`: the next free place in the conversation's memory, 0 before that is loaded. `waiting`: calls that
    are not made before a person allows them; `asked`: those that the person has been told of. `taken_over`: effects of
    this attempt may have happened before."""

    nc: Client
    run: ClaimedRun
    stream: RunStream
    progress: ProgressRepository
    record: RecordRepository
    parent_id: str
    seq: int = 0
    seen: Seen = field(default_factory=Seen)
    locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict[str, asyncio.Lock](asyncio.Lock))
    turn: Turn = field(default_factory=Turn)
    answered: set[str] = field(default_factory=set[str])
    waiting: set[str] = field(default_factory=set[str])
    asked: set[str] = field(default_factory=set[str])
    working: int = 0
    getting_ready: ExitStack = field(default_factory=ExitStack)
    """Holds a place among the runs that get ready; closed when the model is asked."""
    taken_over: bool = False

    def alone_with(self, note_id: str | None) -> AbstractAsyncContextManager[None]:
        """One call at a time has a note: calls that the model makes together are not somebody else to each other."""
        return self.locks[note_id] if note_id else nullcontext()

    def take_places(self, count: int) -> int:
        """The first of `count` places in memory, which nobody else gets."""
        first = self.seq
        self.seq += count
        return first
