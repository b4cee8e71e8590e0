"""A run's events: numbered, published in a pipeline, kept until the server has stored them.

Text that arrives while the publisher is busy, or in the same turn of the event loop, is joined to one event. There is
no timer: a single token leaves at once.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson

from agent_service.repository.values import plain_text
from agent_service.stream.acks import UNSENT, Acks
from contracts import subjects
from contracts.run_events import Envelope, RunEvent

MAX_IN_FLIGHT = 256
"""Events that may be on their way; text that comes meanwhile is joined."""
ACK_SECONDS = 2.0
"""An event that is not acked in this time is published again."""
RETRY_SECONDS = 0.1


@dataclass(slots=True)
class _Text:
    """Text that may still grow. `event` and `field` as on the wire; `call_id` for the arguments of a call."""

    event: str
    field: str
    call_id: str | None
    parts: list[str]

    def encode(self) -> bytes:
        body = {self.field: "".join(self.parts)}
        if self.call_id is not None:
            body["call_id"] = self.call_id
        try:
            return orjson.dumps(body)
        except TypeError:  # half a character
            return orjson.dumps({name: plain_text(text) for name, text in body.items()})


@dataclass(slots=True)
class _InFlight:
    headers: dict[str, str]
    data: bytes
    sent_at: float


class RunStream:
    """The events of one attempt of a run. `last`: the number of the newest event that the stream has already."""

    def __init__(self, acks: Acks, user_id: str, run_id: str, attempt: int, last: int = 0) -> None:
        self.run_id = run_id
        self.attempt = attempt
        self.last = last
        self._acks = acks
        self._subject = subjects.user_run(user_id, run_id)
        self._waiting: deque[_Text | RunEvent] = deque()
        self._growing: _Text | None = None
        self._in_flight: dict[int, _InFlight] = {}
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._settled = asyncio.Event()

    @asynccontextmanager
    async def publishing(self) -> AsyncGenerator["RunStream"]:
        """Publishes until the block ends; what is not stored by then is dropped: wait for `settled` before."""
        self._reply = self._acks.register(self)
        self._work = asyncio.create_task(self._publish())
        try:
            yield self
        finally:
            self._work.cancel()
            self._acks.forget(self._reply)

    def token(self, text: str) -> None:
        self._add("token", "token", None, text)

    def reasoning(self, text: str) -> None:
        self._add("reasoning", "token", None, text)

    def tool_args(self, call_id: str, delta: str) -> None:
        self._add("tool_args", "delta", call_id, delta)

    def emit(self, event: RunEvent) -> None:
        self._growing = None
        self._enqueue(event)

    async def settled(self) -> None:
        """Returns when the server has stored every event so far. Raises what ended the publisher, should it end."""
        while self._waiting or self._in_flight:
            self._settled.clear()
            stored = asyncio.ensure_future(self._settled.wait())
            await asyncio.wait({stored, self._work}, return_when=asyncio.FIRST_COMPLETED)
            stored.cancel()
            if self._work.done():
                self._work.result()

    def _add(self, event: str, field: str, call_id: str | None, text: str) -> None:
        growing = self._growing
        if growing is not None and growing.event == event and growing.call_id == call_id:
            growing.parts.append(text)
        elif text:
            self._growing = _Text(event, field, call_id, [text])
            self._enqueue(self._growing)

    def _enqueue(self, event: "_Text | RunEvent") -> None:
        self._waiting.append(event)
        self._wake.set()

    async def _publish(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                while len(self._in_flight) >= MAX_IN_FLIGHT:
                    self._room.clear()
                    await self._room.wait()
                event = self._waiting.popleft()
                if event is self._growing:
                    self._growing = None
                await self._send(event)

    async def _send(self, event: "_Text | RunEvent") -> None:
        self.last += 1
        if isinstance(event, _Text):
            envelope = Envelope(self.last, self.attempt, event.event, event.encode())
        else:
            envelope = Envelope.of(self.last, self.attempt, event)
        self._in_flight[envelope.seq] = _InFlight(
            envelope.headers(self.run_id), envelope.data, asyncio.get_running_loop().time()
        )
        try:
            await self._put(envelope.seq)
        except UNSENT:  # it stays in flight, and goes out again after the reconnect
            await asyncio.sleep(RETRY_SECONDS)

    async def _put(self, seq: int) -> None:
        event = self._in_flight[seq]
        await self._acks.nc.publish(self._subject, event.data, reply=f"{self._reply}.{seq}", headers=event.headers)

    def acked(self, seq: int) -> None:
        self._in_flight.pop(seq, None)
        self._room.set()
        if not self._in_flight and not self._waiting:
            self._settled.set()

    def refused(self, seq: int) -> None:
        if seq in self._in_flight:
            self._in_flight[seq].sent_at = 0.0

    async def send_again(self, *, all_of_them: bool) -> None:
        now = asyncio.get_running_loop().time()
        for seq, event in sorted(self._in_flight.items()):
            if all_of_them or now - event.sent_at > ACK_SECONDS:
                event.sent_at = now
                if seq in self._in_flight:
                    await self._put(seq)
