"""What earlier attempts of a run have published, read from the stream; and the fenced write that begins a new
attempt."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from itertools import count, takewhile

import orjson
import structlog
from nats.aio.client import Client
from nats.errors import Error, NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from agent_service.repository import RetainedPrefix
from contracts import subjects
from contracts.run_events import ApprovalDecided, ApprovalRequired, Done, Envelope, MessageDone, ToolCallBegan, ToolDone
from contracts.streams import RUN_EVENTS
from servicekit.direct_get import DirectGet, sequence_of
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

BATCH = 500
REPLY_SECONDS = 5.0
PAUSE_SECONDS = 0.25
MAX_ATTEMPTS = 5


@dataclass
class PublishedEvents:
    """`last`: the highest number; `missing`: numbers up to it that are neither in the stream nor retained;
    `stream_sequence`: of the run's newest message in the stream. Then the ids of messages and calls for which an event
    has been published."""

    last: int = 0
    stream_sequence: int = 0
    missing: list[int] = field(default_factory=list[int])
    messages: set[str] = field(default_factory=set[str])
    calls_begun: set[str] = field(default_factory=set[str])
    calls_done: set[str] = field(default_factory=set[str])
    approvals_requested: set[str] = field(default_factory=set[str])
    approvals_decided: set[str] = field(default_factory=set[str])
    done: bool = False

    def add(self, event: Envelope) -> None:
        if event.event == MessageDone.event:
            self.messages.add(orjson.loads(event.data)["message_id"])
        elif event.event == ToolCallBegan.event:
            self.calls_begun.add(orjson.loads(event.data)["call_id"])
        elif event.event == ToolDone.event:
            self.calls_done.add(orjson.loads(event.data)["call_id"])
        elif event.event == ApprovalRequired.event:
            self.approvals_requested.update(call["call_id"] for call in orjson.loads(event.data)["calls"])
        elif event.event == ApprovalDecided.event:
            self.approvals_decided.add(orjson.loads(event.data)["call_id"])
        elif event.event == Done.event:
            self.done = True


async def read_published(nc: Client, user_id: str, run_id: str, last: int, retained: RetainedPrefix) -> PublishedEvents:
    """The run's events from the stream and the retained ones, without what a worker wrote after it had lost the run.

    `last`: the number of the newest event, used if neither has any. Raises `nats.errors.Error` if the broker does not
    answer.
    """
    published, numbers, attempt = PublishedEvents(), set(range(1, retained.last + 1)), 0
    for event in retained.events:
        published.add(event)
    async for sequence, event in _events_in_stream(nc, user_id, run_id):
        published.stream_sequence = sequence
        if event.attempt >= attempt:
            attempt = event.attempt
            numbers.add(event.seq)
            published.add(event)
    published.last = max(numbers, default=last)
    published.missing = sorted(set(range(1, published.last + 1)) - numbers)
    return published


async def read_events(nc: Client, user_id: str, run_id: str, first: int, last: int) -> list[Envelope]:
    """The run's events from number `first` to `last`, up to the first that the stream does not have.

    Waits while the broker is unavailable, and retries a few times because a replica of the stream may lag behind.
    """
    found: list[Envelope] = []
    attempts = 0
    while first + len(found) <= last and attempts < MAX_ATTEMPTS:
        try:
            found = await _contiguous_from(nc, user_id, run_id, first)
            attempts += 1
        except Error as error:
            log.warning("events not read", run_id=run_id, error=describe(error))
        if first + len(found) <= last:
            await asyncio.sleep(PAUSE_SECONDS)
    return found


async def _contiguous_from(nc: Client, user_id: str, run_id: str, first: int) -> list[Envelope]:
    by_number: dict[int, Envelope] = {}
    attempt = 0
    async for _, event in _events_in_stream(nc, user_id, run_id):
        if event.attempt >= attempt:
            attempt = event.attempt
            if event.seq >= first:
                by_number[event.seq] = event
    return [by_number[number] for number in takewhile(by_number.__contains__, count(first))]


async def _events_in_stream(nc: Client, user_id: str, run_id: str) -> AsyncGenerator[tuple[int, Envelope]]:
    """All events of the run in the stream, each with its stream sequence."""
    stream = DirectGet(nc, RUN_EVENTS, REPLY_SECONDS)
    sequence, more = 0, True
    while more:
        messages, more = await stream.batch(subjects.user_run(user_id, run_id), sequence + 1, size=BATCH)
        for msg in messages:
            sequence = sequence_of(msg)
            if (event := Envelope.read(msg.headers, msg.data)) is not None:
                yield sequence, event


async def write_fenced(nc: Client, user_id: str, run_id: str, event: Envelope, after: int) -> int | None:
    """Writes an event of a new attempt, if the run's newest message in the stream still has the sequence `after`.

    Returns the event's stream sequence, None if another worker has written since. After a time-out the event may have
    been written: then the repetition is refused, and the caller reads again and finds it.
    """
    headers = event.headers(run_id) | {"Nats-Expected-Last-Subject-Sequence": str(after)}
    while True:
        try:
            reply = await nc.request(
                subjects.user_run(user_id, run_id), event.data, timeout=REPLY_SECONDS, headers=headers
            )
        except (NatsTimeoutError, NoRespondersError):
            await asyncio.sleep(PAUSE_SECONDS)
            continue
        answer = orjson.loads(reply.data)
        return None if "error" in answer else answer["seq"]
