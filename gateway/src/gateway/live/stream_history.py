"""A run's stored events, read from the stream RUN_EVENTS by JetStream Direct Get batches (ADR-31), not a consumer."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import NamedTuple

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from contracts import streams, subjects
from contracts.errors import ServiceUnavailable
from contracts.run_events import Done, EventId, read_frames
from gateway.live.event import LiveEvent
from servicekit.direct_get import DirectGet, sequence_of

PAGE_SEGMENTS = 128
PAGE_BYTES = 128 * 1024
"""A page ends with the segment that passes this, so that a long history goes out at the speed of its client."""
CLOSE_EVENTS = 256
"""How many events before the wanted one a search may end."""
PROBES = 6
"""Reads that a search may take."""
MAX_SHARED_PAGES = 32
SHARED_SECONDS = 5.0
"""How many full pages are kept for other readers, and how long: a crowd that comes back at once reads each once."""


class Stored(NamedTuple):
    """A segment. `position`: its sequence in the stream; `first` and `last`: its events."""

    position: int
    first: EventId
    last: EventId
    is_end: bool


class Page(NamedTuple):
    """`position`: where the next page begins. `more`: there was more when this one was read."""

    events: list[LiveEvent]
    position: int
    more: bool


_Place = tuple[str, str, int]
"""User, run and position: a page is for readers of the same user's run only."""


class StreamHistory:
    """Every read raises `ServiceUnavailable` when the broker does not answer within 3 s."""

    def __init__(self, nc: Client) -> None:
        self._stream = DirectGet(nc, streams.RUN_EVENTS)
        self._reading: dict[_Place, asyncio.Task[Page]] = {}
        self._full_pages: dict[_Place, Page] = {}

    def reconnected(self) -> None:
        """The connection was lost and is back: requests sent over the lost one will not be answered."""
        self._stream.reconnected()

    async def newest(self, user_id: str, run_id: str) -> Stored | None:
        """The last segment of the run, None where the stream has none (any more)."""
        with _translated_errors():
            return _stored(await self._stream.last(subjects.run_log(user_id, run_id)))

    async def position_after(self, user_id: str, run_id: str, last: EventId, newest: Stored) -> int:
        """A position in the stream at most about `CLOSE_EVENTS` events before the first that comes after `last`.

        Segments lie in the order of their events. Found by interpolation search: runs share the stream, so where an
        event lies is estimated from two segments whose positions are known. All up to `low` comes before `last`, or is
        `last`; `high` does not.
        """
        if newest.last <= last:
            return newest.position + 1
        if newest.first <= (last.attempt, last.number + 1):
            return newest.position
        low, high = await self._from(user_id, run_id, 1), newest
        if low is None or low.last > last:
            return low.position if low else 1
        for _ in range(PROBES):
            between, ahead = high.first.number - low.last.number, last.number - low.last.number
            if ahead <= CLOSE_EVENTS or high.position <= low.position + 1 or between <= 0:
                break
            share = min(1.0, (ahead - CLOSE_EVENTS // 2) / between)
            found = await self._from(
                user_id, run_id, low.position + 1 + int((high.position - low.position - 1) * share)
            )
            if found is None or found.last > last:
                high = found or high
            else:
                low = found
        return low.position + 1

    async def page(self, user_id: str, run_id: str, position: int) -> Page:
        """The run's events from `position` of the stream on, in their order.

        Readers share what they read at the same place. A full page never changes. One that ends with the log may lack
        what was stored before its reader listened, so nobody gets one whose reading had begun before they wanted it.
        """
        key = (user_id, run_id, position)
        if (full := self._full_pages.get(key)) is not None:
            return full
        if (earlier := self._reading.get(key)) is not None:
            page = await asyncio.shield(earlier)
            if page.more:
                return page
        reading = self._reading.get(key)
        if reading is None:
            reading = asyncio.ensure_future(self._read_page(user_id, run_id, position))
            self._reading[key] = reading
            reading.add_done_callback(lambda done: self._page_read(key, done))
        return await asyncio.shield(reading)

    def _page_read(self, key: _Place, reading: "asyncio.Task[Page]") -> None:
        del self._reading[key]
        if reading.cancelled() or reading.exception() is not None:
            return
        page = reading.result()
        if page.more and len(self._full_pages) < MAX_SHARED_PAGES:
            self._full_pages[key] = page
            asyncio.get_running_loop().call_later(SHARED_SECONDS, self._full_pages.pop, key, None)

    async def _read_page(self, user_id: str, run_id: str, position: int) -> Page:
        subject = subjects.run_log(user_id, run_id)
        with _translated_errors():
            messages, more = await self._stream.batch(subject, position, size=PAGE_SEGMENTS, max_bytes=PAGE_BYTES)
        events: list[LiveEvent] = []
        for msg in messages:
            position = sequence_of(msg) + 1
            events += LiveEvent.read(msg.data)
        return Page(events, position, more)

    async def _from(self, user_id: str, run_id: str, position: int) -> Stored | None:
        with _translated_errors():
            return _stored(await self._stream.next(subjects.run_log(user_id, run_id), position))


def _stored(msg: Msg | None) -> Stored | None:
    if msg is None:
        return None
    events = read_frames(msg.data)
    return Stored(sequence_of(msg), events[0].id, events[-1].id, events[-1].event == Done.event)


@contextmanager
def _translated_errors() -> Generator[None]:
    try:
        yield
    except NatsError as error:
        raise ServiceUnavailable from error
