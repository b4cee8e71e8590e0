"""What earlier attempts of a run have published, read from the log; and the fenced write that begins a new attempt."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from itertools import takewhile

import orjson
import structlog
from nats.aio.client import Client
from nats.errors import Error, NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from agent_service.repository import RetainedPrefix
from contracts import subjects
from contracts.run_events import (
    BEFORE_FIRST,
    ApprovalDecided,
    ApprovalRequired,
    Done,
    Envelope,
    EventId,
    MessageDone,
    ToolCallBegan,
    ToolDone,
    join_frames,
    read_frames,
    segment_headers,
)
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
    """`last`: the newest; `stream_sequence`: of the segment with it, 0 if there is none. `has_gap`: events before it
    are neither in the log nor retained. Then the ids of messages and calls for which an event has been published."""

    last: EventId = BEFORE_FIRST
    stream_sequence: int = 0
    has_gap: bool = False
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


async def read_published(nc: Client, user_id: str, run_id: str, retained: RetainedPrefix) -> PublishedEvents:
    """The run's events from the log and the retained ones. Raises `nats.errors.Error` if the broker does not answer."""
    published = PublishedEvents(last=retained.last)
    for event in retained.events:
        published.add(event)
    async for sequence, event in _logged_events(nc, user_id, run_id):
        if event.id > published.last:
            if event.seq == 1 and event.attempt > published.last.attempt:  # it began all over, after a gap
                published = PublishedEvents()
            elif event.seq != published.last.number + 1:
                published.has_gap = True
            published.last = event.id
            published.add(event)
        published.stream_sequence = sequence
    return published


async def read_events(nc: Client, user_id: str, run_id: str, first: int, last: int) -> list[Envelope]:
    """The run's events from number `first` to `last`, up to the first that the log does not have.

    Waits while the broker is unavailable, and retries a few times because a replica of the stream may lag behind.
    """
    found: list[Envelope] = []
    attempts = 0
    while first + len(found) <= last and attempts < MAX_ATTEMPTS:
        try:
            by_number = {event.seq: event async for _, event in _logged_events(nc, user_id, run_id)}
            found = [by_number[number] for number in takewhile(by_number.__contains__, range(first, last + 1))]
            attempts += 1
        except Error as error:
            log.warning("events not read", run_id=run_id, error=describe(error))
        if first + len(found) <= last:
            await asyncio.sleep(PAUSE_SECONDS)
    return found


async def _logged_events(nc: Client, user_id: str, run_id: str) -> AsyncGenerator[tuple[int, Envelope]]:
    """All events of the run in the log, each with the stream sequence of its segment."""
    stream = DirectGet(nc, RUN_EVENTS, REPLY_SECONDS)
    sequence, more = 0, True
    while more:
        messages, more = await stream.batch(subjects.run_log(user_id, run_id), sequence + 1, size=BATCH)
        for msg in messages:
            sequence = sequence_of(msg)
            for event in read_frames(msg.data):
                yield sequence, event


async def write_fenced(nc: Client, user_id: str, run_id: str, events: list[Envelope], after: int) -> int | None:
    """Begins an attempt: writes its first events, if the run's newest segment still has the stream sequence `after`,
    and publishes them live.

    Returns their stream sequence, None if another worker has written since. After a time-out they may have been
    written: then the repetition is refused, and the caller reads again and finds them.
    """
    frames, headers = join_frames(events), segment_headers(run_id, events[-1].id, after)
    while True:
        try:
            reply = await nc.request(subjects.run_log(user_id, run_id), frames, timeout=REPLY_SECONDS, headers=headers)
        except (NatsTimeoutError, NoRespondersError):
            await asyncio.sleep(PAUSE_SECONDS)
            continue
        answer = orjson.loads(reply.data)
        if "error" in answer:
            return None
        await nc.publish(subjects.user_live(user_id, run_id), frames)
        return answer["seq"]
