"""One tool: its name, its arguments, and what it does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from agent_service.agent.context import RunContext
from contracts.actor import Actor
from contracts.notes import ChangeOp


class Arguments(BaseModel):
    """What the model may fill in. It can never name a user. An argument that there is not is refused: left out, a text
    in the wrong place would be lost without a word."""

    model_config = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Change:
    """A note was changed."""

    op: ChangeOp
    id: str
    version: int


@dataclass(frozen=True)
class Outcome:
    """`result`: JSON for the model."""

    result: dict[str, Any]
    change: Change | None = None


@dataclass(frozen=True)
class Caller:
    """Who asks, and for which call: every request of a tool carries both."""

    context: RunContext
    call_id: str

    @property
    def actor(self) -> Actor:
        run = self.context.run
        return Actor(kind="agent", user_id=run.user_id, run_id=run.id, call_id=self.call_id)

    @property
    def idempotency_key(self) -> str:
        """The notes service applies a write once under this key, however often a worker dies."""
        return f"{self.context.run.id}:{self.call_id}"


A = TypeVar("A", bound=Arguments)


@dataclass(frozen=True)
class Tool(Generic[A]):
    """`description` is for the model. `effect`: what it does to notes, at worst."""

    name: str
    description: str
    arguments: type[A]
    act: Callable[[Caller, A], Awaitable[Outcome]]
    effect: Literal["none", "change", "destroy"] = "none"
    schema: dict[str, Any] = field(init=False)

    def note_of(self, arguments: A) -> str | None:
        """The note that a call is about, if it is about one that there is."""
        return getattr(arguments, "note_id", None)

    def __post_init__(self) -> None:
        object.__setattr__(self, "schema", _schema(self.arguments))


def _schema(arguments: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema in the plain form that every model server takes: what may be left out is not nullable as well."""
    schema = arguments.model_json_schema()
    for name, value in schema.get("properties", {}).items():
        value.pop("title", None)
        value.pop("default", None)
        if "anyOf" in value:
            (only,) = [option for option in value.pop("anyOf") if option.get("type") != "null"]
            schema["properties"][name] = only | value
    return {
        "type": "object",
        "properties": schema.get("properties", {}),
        "required": schema.get("required", []),
        "additionalProperties": False,
    }
