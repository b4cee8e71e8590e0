"""What the stream holds of a run that another worker had before."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from itertools import count, takewhile

import orjson
import structlog
from nats.aio.client import Client
from nats.errors import Error, NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from agent_service.repository import Kept
from contracts import subjects
from contracts.run_events import ApprovalDecided, ApprovalRequired, Done, Envelope, MessageDone, ToolCallBegan, ToolDone
from contracts.streams import RUN_EVENTS
from servicekit.direct_get import DirectGet, sequence_of

log = structlog.stdlib.get_logger()

BATCH = 500
REPLY_SECONDS = 5.0
RETRY_SECONDS = 0.25
TRIES = 5


@dataclass
class Tail:
    """`last`: the highest number; `missing`: numbers up to it that the stream has not, or no more; `stream_seq`:
    the newest message's place in the stream; then what the readers have been told."""

    last: int = 0
    stream_seq: int = 0
    missing: list[int] = field(default_factory=list[int])
    messages: set[str] = field(default_factory=set[str])
    calls_begun: set[str] = field(default_factory=set[str])
    calls_done: set[str] = field(default_factory=set[str])
    asked: set[str] = field(default_factory=set[str])
    decided: set[str] = field(default_factory=set[str])
    done: bool = False


async def read_tail(nc: Client, user_id: str, run_id: str, last: int, kept: Kept) -> Tail:
    """Reads the run's events from the stream, ignoring what a worker wrote after it had lost the run; `kept` are those
    that it may have let go. `last`: the number of the newest event, should both know of none.

    Raises `nats.errors.Error` where the broker does not answer.
    """
    tail, numbers, attempt = Tail(), set(range(1, kept.last + 1)), 0
    for event in kept.told:
        _learn(tail, event)
    async for place, event in _stored(nc, user_id, run_id):
        tail.stream_seq = place
        if event.attempt >= attempt:
            attempt = event.attempt
            numbers.add(event.seq)
            _learn(tail, event)
    tail.last = max(numbers, default=last)
    tail.missing = sorted(set(range(1, tail.last + 1)) - numbers)
    return tail


async def read_events(nc: Client, user_id: str, run_id: str, first: int, last: int) -> list[Envelope]:
    """The run's events from number `first` to `last`, up to the first that the stream does not have. Waits for a
    broker that is away, and a little for one whose copy of the stream is behind."""
    found: list[Envelope] = []
    tries = TRIES
    while first + len(found) <= last and tries:
        try:
            found = await _following(nc, user_id, run_id, first)
            tries -= 1
        except Error as error:
            log.warning("events not read", run_id=run_id, error=repr(error))
        if first + len(found) <= last:
            await asyncio.sleep(RETRY_SECONDS)
    return found


async def _following(nc: Client, user_id: str, run_id: str, first: int) -> list[Envelope]:
    by_number: dict[int, Envelope] = {}
    attempt = 0
    async for _, event in _stored(nc, user_id, run_id):
        if event.attempt >= attempt:
            attempt = event.attempt
            if event.seq >= first:
                by_number[event.seq] = event
    return [by_number[number] for number in takewhile(by_number.__contains__, count(first))]


async def _stored(nc: Client, user_id: str, run_id: str) -> AsyncGenerator[tuple[int, Envelope]]:
    """All that the stream has of the run, each with its place in it."""
    stream = DirectGet(nc, RUN_EVENTS, REPLY_SECONDS)
    place, more = 0, True
    while more:
        messages, more = await stream.batch(subjects.user_run(user_id, run_id), place + 1, size=BATCH)
        for msg in messages:
            place = sequence_of(msg)
            if (event := Envelope.read(msg.headers, msg.data)) is not None:
                yield place, event


def _learn(tail: Tail, event: Envelope) -> None:
    if event.event == MessageDone.event:
        tail.messages.add(orjson.loads(event.data)["message_id"])
    elif event.event == ToolCallBegan.event:
        tail.calls_begun.add(orjson.loads(event.data)["call_id"])
    elif event.event == ToolDone.event:
        tail.calls_done.add(orjson.loads(event.data)["call_id"])
    elif event.event == ApprovalRequired.event:
        tail.asked.update(call["call_id"] for call in orjson.loads(event.data)["calls"])
    elif event.event == ApprovalDecided.event:
        tail.decided.add(orjson.loads(event.data)["call_id"])
    elif event.event == Done.event:
        tail.done = True


async def write_first(nc: Client, user_id: str, run_id: str, event: Envelope, after: int) -> int | None:
    """Writes an event of a new attempt, if the run's newest message still is the one at place `after`.

    Answers its place in the stream, or None where a worker that had the run before has written since.
    """
    headers = event.headers(run_id) | {"Nats-Expected-Last-Subject-Sequence": str(after)}
    while True:
        try:
            reply = await nc.request(
                subjects.user_run(user_id, run_id), event.data, timeout=REPLY_SECONDS, headers=headers
            )
        except (NatsTimeoutError, NoRespondersError):  # away; it may have been written: then the next try says so
            await asyncio.sleep(RETRY_SECONDS)
            continue
        answer = orjson.loads(reply.data)
        return None if "error" in answer else answer["seq"]
