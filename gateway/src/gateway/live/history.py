"""A run's past events, read from the stream RUN_EVENTS by JetStream Direct Get batches (ADR-31): no consumer."""

import asyncio
from typing import NamedTuple

import orjson
from contracts.errors import ServiceUnavailable
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from contracts import streams, subjects
from gateway.live.event import LiveEvent

DIRECT_GET = f"$JS.API.DIRECT.GET.{streams.RUN_EVENTS.name}"
PAGE_EVENTS = 512
PAGE_BYTES = 128 * 1024
"""A page ends with the event that passes this, so that a long history goes out at the speed of its reader."""
ANSWER_SECONDS = 3.0
MARGIN = 64
"""So many events are rather read once more than left out; fewer are not worth a search."""
PROBES = 6


class Stored(NamedTuple):
    """`position`: the event's sequence in the stream."""

    position: int
    event: LiveEvent


class Page(NamedTuple):
    """`position`: where the next page begins. `more`: there was more when this one was read."""

    events: list[LiveEvent]
    position: int
    more: bool


class History:
    """Raises `ServiceUnavailable` when the broker does not answer within 3 s."""

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._asked: set[asyncio.Future[None]] = set()

    def reconnected(self) -> None:
        """What was asked over the lost connection is not answered over the new one."""
        for answered in self._asked:
            if not answered.done():
                answered.set_exception(ServiceUnavailable())

    async def newest(self, user_id: str, run_id: str) -> Stored | None:
        """The last stored event of the run, None where the stream has none (any more)."""
        return await self._one({"last_by_subj": subjects.user_run(user_id, run_id)})

    async def place_of(self, user_id: str, run_id: str, after: int, newest: Stored) -> int:
        """A position in the stream some way before the run's event `after` + 1, found by a few guesses.

        Runs share the stream, so where an event lies is guessed from what is known of its neighbours. Some way before,
        because an event that the stream refused at first is stored a little later than those that follow it.
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
        asked = {"seq": position, "next_by_subj": subjects.user_run(user_id, run_id)}
        messages = await self._batch(asked | {"batch": PAGE_EVENTS, "max_bytes": PAGE_BYTES})
        events: list[LiveEvent] = []
        for msg in messages[:-1]:
            position = _position(msg) + 1
            if event := LiveEvent.read(msg.headers, msg.data):
                events.append(event)
        end = messages[-1].headers or {}
        return Page(events, position, more=int(end.get("Nats-Num-Pending", 0)) > 0)

    async def _from(self, user_id: str, run_id: str, position: int) -> Stored | None:
        return await self._one({"seq": position, "next_by_subj": subjects.user_run(user_id, run_id)})

    async def _one(self, asked: dict[str, str | int]) -> Stored | None:
        if not self._nc.is_connected:
            raise ServiceUnavailable
        try:
            answer = await self._nc.request(DIRECT_GET, orjson.dumps(asked), timeout=ANSWER_SECONDS)
        except NatsError as error:
            raise ServiceUnavailable from error
        event = LiveEvent.read(answer.headers, answer.data)  # "404 not found" is no event
        return Stored(_position(answer), event) if event else None

    async def _batch(self, asked: dict[str, str | int]) -> list[Msg]:
        """The answers to one request; the last is the server's status, the end of the batch or "not found"."""
        if not self._nc.is_connected:
            raise ServiceUnavailable
        answers: list[Msg] = []
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def collect(msg: Msg) -> None:
            answers.append(msg)
            if msg.headers and "Status" in msg.headers and not answered.done():
                answered.set_result(None)

        inbox = self._nc.new_inbox()
        self._asked.add(answered)
        try:
            subscription = await self._nc.subscribe(inbox, cb=collect)
            try:
                await self._nc.publish(DIRECT_GET, orjson.dumps(asked), reply=inbox)
                async with asyncio.timeout(ANSWER_SECONDS):
                    await answered
            finally:
                await subscription.unsubscribe()
        except (NatsError, TimeoutError) as error:
            raise ServiceUnavailable from error
        finally:
            self._asked.discard(answered)
        if (answers[-1].headers or {})["Status"] not in ("204", "404"):  # 503: there is no stream, or no JetStream
            raise ServiceUnavailable
        return answers


def _position(msg: Msg) -> int:
    return int((msg.headers or {})["Nats-Sequence"])
