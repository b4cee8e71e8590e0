"""The events of a run, one model each, and their form on the broker.

An event is a message whose body is the JSON of the SSE `data:` line, which gateways pass on unparsed; its sequence
number, attempt and name are headers. `Nats-Msg-Id` lets the stream drop a repeated publish.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, Field, JsonValue

from contracts.actor import ActorKind
from contracts.ids import Id
from contracts.notes import ChangeOp

RESULT_MAX_BYTES = 4 * 1024
"""A tool's result is cut to this many bytes of JSON for the page; the model gets it whole."""

HEADER_SEQ = "Inkstream-Seq"
HEADER_ATTEMPT = "Inkstream-Attempt"
HEADER_EVENT = "Inkstream-Event"
HEADER_MSG_ID = "Nats-Msg-Id"


class Usage(BaseModel):
    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0


class RunEvent(BaseModel):
    """`event`: the name on the wire."""

    event: ClassVar[str]


class RunBegan(RunEvent):
    event = "run"

    run_id: Id
    conversation_id: Id
    model: str
    mode: Literal["live", "demo"]


class Token(RunEvent):
    event = "token"

    token: str


class Reasoning(RunEvent):
    event = "reasoning"

    token: str


class ToolCallBegan(RunEvent):
    event = "tool_call"

    call_id: str
    name: str


class ToolArgs(RunEvent):
    event = "tool_args"

    call_id: str
    delta: str


class CallWaiting(BaseModel):
    """A tool call that is made only after the user's approval."""

    call_id: str
    name: str
    arguments: JsonValue


class ApprovalRequired(RunEvent):
    event = "approval_required"

    calls: list[CallWaiting]


class ApprovalDecided(RunEvent):
    """`by`: the kind of client through which the user decided."""

    event = "approval_decided"

    call_id: str
    approve: bool
    by: ActorKind


class ToolDone(RunEvent):
    """`arguments`: parsed if they are JSON, else the text that the model sent. `truncated`: `result` was cut."""

    event = "tool_done"

    call_id: str
    name: str
    status: Literal["ok", "error", "denied"]
    arguments: JsonValue
    result: JsonValue
    duration_ms: int
    truncated: bool = False


class NotesChanged(RunEvent):
    event = "notes_changed"

    op: ChangeOp
    id: Id
    version: int
    call_id: str


class Retrying(RunEvent):
    event = "retrying"

    attempt: int
    max_attempts: int
    delay_ms: int
    reason: str
    model: str


class MessageDone(RunEvent):
    event = "message"

    message_id: Id
    text: str


class Restarted(RunEvent):
    event = "restart"

    attempt: int


ErrorCode = Literal["model_unavailable", "model_rejected", "rate_limited", "timeout", "max_turns", "internal"]


class RunFailed(RunEvent):
    event = "run_error"

    code: ErrorCode
    message: str
    retryable: bool


FinalStatus = Literal["completed", "failed", "cancelled"]


class Done(RunEvent):
    event = "done"

    done: Literal[True] = True
    status: FinalStatus
    usage: Usage = Field(default_factory=Usage)
    finish_reason: str | None = None


class Envelope(NamedTuple):
    """A numbered event in its form on the broker. `data`: JSON in UTF-8, one line."""

    seq: int
    attempt: int
    event: str
    data: bytes

    @classmethod
    def of(cls, seq: int, attempt: int, event: RunEvent) -> "Envelope":
        return cls(seq, attempt, event.event, event.model_dump_json(exclude_none=True).encode())

    def headers(self, run_id: str) -> dict[str, str]:
        return {
            HEADER_MSG_ID: f"{run_id}.{self.attempt}.{self.seq}",
            HEADER_SEQ: str(self.seq),
            HEADER_ATTEMPT: str(self.attempt),
            HEADER_EVENT: self.event,
        }

    @classmethod
    def read(cls, headers: Mapping[str, Any] | None, data: bytes) -> "Envelope | None":
        """The event in a message, None if the message is no event."""
        if not headers or HEADER_SEQ not in headers:
            return None
        return cls(int(headers[HEADER_SEQ]), int(headers[HEADER_ATTEMPT]), headers[HEADER_EVENT], data)
