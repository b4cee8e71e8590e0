"""A tool of the registry (`contracts.tools`) bound to the function that carries it out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic

from agent_service.agent.context import RunContext
from contracts.actor import Actor
from contracts.notes import ChangeOp
from contracts.tools import ArgumentsT, Tool


@dataclass(frozen=True)
class WrittenNote:
    """The note that a call changed."""

    op: ChangeOp
    id: str
    version: int


@dataclass(frozen=True)
class ToolOutcome:
    """`result`: JSON for the model."""

    result: dict[str, Any]
    written: WrittenNote | None = None


@dataclass(frozen=True)
class CallContext:
    """The run and the call in which a tool sends its requests."""

    run_context: RunContext
    call_id: str

    @property
    def actor(self) -> Actor:
        run = self.run_context.run
        return Actor(kind="agent", user_id=run.user_id, run_id=run.id, call_id=self.call_id)

    @property
    def idempotency_key(self) -> str:
        """The notes service applies one write under this key, however often workers repeat the call."""
        return f"{self.run_context.run.id}:{self.call_id}"


@dataclass(frozen=True)
class Implementation(Generic[ArgumentsT]):
    tool: Tool[ArgumentsT]
    run: Callable[[CallContext, ArgumentsT], Awaitable[ToolOutcome]]

    def note_id(self, arguments: ArgumentsT) -> str | None:
        """The existing note that a call is about, if any."""
        return getattr(arguments, "note_id", None)
