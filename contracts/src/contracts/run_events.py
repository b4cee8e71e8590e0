"""The events of a run, one model each, and their form on the broker.

An event is one frame: the line `<attempt> <number> <event> <length>`, then `length` bytes of JSON, which is the SSE
`data:` line that gateways pass on unparsed. A message of the live plane and a segment of the log are frames one after
the other.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, NamedTuple, Self

from pydantic import BaseModel, Field, JsonValue, PlainSerializer

from contracts.actor import ActorKind
from contracts.ids import Id
from contracts.notes import ChangeOp

RESULT_MAX_BYTES = 4 * 1024
"""A tool's result is cut to this many bytes of JSON for the page; the model gets it whole."""

LINE_MAX_BYTES = 100
"""Of a frame before its JSON."""
MAX_ATTEMPT_DIGITS, MAX_NUMBER_DIGITS = 9, 15


class EventId(NamedTuple):
    """Names one event of a run, for ever: no two attempts use the same. In the order of a run's events.

    `number` counts the events of a run 1, 2, 3 … without a gap within an attempt. A later attempt goes on from what the
    log has of those before it. 0: before the first event.
    """

    attempt: int
    number: int

    def __str__(self) -> str:
        return f"{self.attempt}.{self.number}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """`<attempt>.<number>`; a number alone is one of attempt 1. Raises `ValueError`."""
        attempt, dot, number = text.rpartition(".")
        parsed = cls(_digits(attempt, MAX_ATTEMPT_DIGITS) if dot else 1, _digits(number, MAX_NUMBER_DIGITS))
        if parsed.attempt == 0:
            raise ValueError("not an event id: attempts count from 1")
        return parsed


BEFORE_FIRST = EventId(1, 0)
"""Of who has nothing of a run."""


def _digits(text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= most):
        raise ValueError(f"not an event id: {text!r}")
    return int(text)


Amount = Annotated[Decimal, PlainSerializer(lambda amount: f"{amount.normalize():f}", return_type=str)]
"""Money: exact, on the wire the digits as text."""


class Usage(BaseModel):
    """Tokens as the model's servers have counted them. `requests`: those that were answered at least in part. `cost`:
    of all requests to models with a price, in `currency` (ISO 4217), at the prices of that time; None if there were
    none."""

    input_tokens: int = 0
    output_tokens: int = 0
    requests: int = 0
    cost: Amount | None = None
    currency: str | None = None

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            requests=self.requests + other.requests,
            cost=other.cost if self.cost is None else self.cost + (other.cost or 0),
            currency=self.currency or other.currency,
        )


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


class Summarized(RunEvent):
    """Earlier messages, up to `message_id`, do not fit into the request to the model. `began`: they are being
    summarised; `done`: the model gets the summary; `left_out`: there is none, and it gets nothing of them that an
    earlier summary does not have."""

    event = "summary"

    message_id: Id
    status: Literal["began", "done", "left_out"]


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
    """A numbered event. `data`: JSON in UTF-8, one line."""

    seq: int
    attempt: int
    event: str
    data: bytes

    @property
    def id(self) -> EventId:
        return EventId(self.attempt, self.seq)

    @classmethod
    def of(cls, seq: int, attempt: int, event: RunEvent) -> "Envelope":
        return cls(seq, attempt, event.event, event.model_dump_json(exclude_none=True).encode())

    def frame(self) -> bytes:
        return b"%d %d %b %d\n%b" % (self.attempt, self.seq, self.event.encode(), len(self.data), self.data)


class MalformedFrames(ValueError):
    """A message on a run's subjects that is not a sequence of frames. Says where, not what: people wrote it."""

    def __init__(self, position: int, length: int) -> None:
        super().__init__(f"not a frame at byte {position} of {length}")


def split_frames(payload: bytes) -> list[tuple[bytes, bytes, bytes, bytes]]:
    """Attempt, number, event and data of each frame, as they stand there. Raises `MalformedFrames`."""
    frames: list[tuple[bytes, bytes, bytes, bytes]] = []
    position, end = 0, len(payload)
    while position < end:
        start = payload.find(b"\n", position) + 1
        fields = payload[position : start - 1].split(b" ")
        if (
            not 0 < start - position <= LINE_MAX_BYTES
            or len(fields) != 4
            or not (fields[0] + fields[1] + fields[3]).isdigit()
            or not fields[3]
        ):
            raise MalformedFrames(position, end)
        attempt, number, event, length = fields
        stop = start + int(length)
        if stop > end or not (attempt and number and event.isascii() and event):
            raise MalformedFrames(position, end)
        frames.append((attempt, number, event, payload[start:stop]))
        position = stop
    return frames


def read_frames(payload: bytes) -> list[Envelope]:
    """The events in a message. Raises `MalformedFrames`."""
    return [
        Envelope(int(number), int(attempt), event.decode(), data)
        for attempt, number, event, data in split_frames(payload)
    ]


def join_frames(events: Iterable[Envelope]) -> bytes:
    return b"".join(event.frame() for event in events)


def segment_headers(run_id: str, last: EventId, after: int) -> dict[str, str]:
    """Of a segment of the log whose newest event is `last`.

    The stream drops a repetition by `Nats-Msg-Id`, and refuses a segment unless the run's newest one has the stream
    sequence `after` (0: there is none). So segments are stored in order, and by one worker: one that has lost the run
    can add nothing to what its successor has begun.
    """
    return {"Nats-Msg-Id": f"{run_id}.{last}", "Nats-Expected-Last-Subject-Sequence": str(after)}
