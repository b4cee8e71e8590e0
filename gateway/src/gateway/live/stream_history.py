"""A run's stored events, read from the stream RUN_EVENTS by JetStream Direct Get batches (ADR-31), not a consumer."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from contracts import streams, subjects
from contracts.errors import ServiceUnavailable
from gateway.live.event import LiveEvent
from servicekit.direct_get import DirectGet, sequence_of

PAGE_EVENTS = 512
PAGE_BYTES = 128 * 1024
"""A page ends with the event that passes this, so that a long history goes out at the speed of its client."""
MARGIN = 64
"""How many events before the wanted one reading begins: an event that the stream refused at first is stored a little
after those that follow it. Also the distance at which a search ends."""
PROBES = 6
"""Reads that a search may take."""


class Stored(NamedTuple):
    """`position`: the event's sequence in the stream."""

    position: int
    event: LiveEvent


class Page(NamedTuple):
    """`position`: where the next page begins. `more`: there was more when this one was read."""

    events: list[LiveEvent]
    position: int
    more: bool


class StreamHistory:
    """Every read raises `ServiceUnavailable` when the broker does not answer within 3 s."""

    def __init__(self, nc: Client) -> None:
        self._stream = DirectGet(nc, streams.RUN_EVENTS)

    def reconnected(self) -> None:
        """The connection was lost and is back: requests sent over the lost one will not be answered."""
        self._stream.reconnected()

    async def newest(self, user_id: str, run_id: str) -> Stored | None:
        """The last stored event of the run, None where the stream has none (any more)."""
        with _translated_errors():
            return _stored(await self._stream.last(subjects.user_run(user_id, run_id)))

    async def position_before(self, user_id: str, run_id: str, after: int, newest: Stored) -> int:
        """A position in the stream at least `MARGIN` events before the run's event `after` + 1.

        Found by interpolation search: runs share the stream, so where an event lies is estimated from two neighbours
        whose positions are known.
        """
        wanted = min(after, newest.event.seq) - MARGIN
        if wanted < MARGIN:
            return 1
        low, high = await self._from(user_id, run_id, 1), newest
        for _ in range(PROBES):
            if low is None or wanted - low.event.seq <= MARGIN or high.event.seq <= low.event.seq:
                break
            share = (wanted - MARGIN // 2 - low.event.seq) / (high.event.seq - low.event.seq)
            found = await self._from(user_id, run_id, low.position + int((high.position - low.position) * share))
            if found is None or found.event.seq > wanted:
                high = found or high
            else:
                low = found
        return low.position if low else 1

    async def page(self, user_id: str, run_id: str, position: int) -> Page:
        """The run's events from `position` of the stream on, in the order in which they were stored."""
        subject = subjects.user_run(user_id, run_id)
        with _translated_errors():
            messages, more = await self._stream.batch(subject, position, size=PAGE_EVENTS, max_bytes=PAGE_BYTES)
        events: list[LiveEvent] = []
        for msg in messages:
            position = sequence_of(msg) + 1
            if event := LiveEvent.read(msg.headers, msg.data):
                events.append(event)
        return Page(events, position, more)

    async def _from(self, user_id: str, run_id: str, position: int) -> Stored | None:
        with _translated_errors():
            return _stored(await self._stream.next(subjects.user_run(user_id, run_id), position))


def _stored(msg: Msg | None) -> Stored | None:
    event = LiveEvent.read(msg.headers, msg.data) if msg else None
    return Stored(sequence_of(msg), event) if msg and event else None


@contextmanager
def _translated_errors() -> Generator[None]:
    try:
        yield
    except NatsError as error:
        raise ServiceUnavailable from error
