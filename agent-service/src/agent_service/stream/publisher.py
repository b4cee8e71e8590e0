"""Publishes a run's events: numbers them, pipelines them, and holds each until the stream has stored it.

Invariant: every number from 1 to `last` is either stored in the stream or held in `_in_flight` with the exact bytes
that were published under it. An event gets the next number when it is taken from the queue, is put into `_in_flight`
before it is published, and is removed only by the ack for that number. So the stream ends up with every number, however
often publishes, acks or connections are lost: what is not acked in time, and everything after a reconnect, is published
again with the same `Nats-Msg-Id`, and both the stream and readers drop repeats. `flush` returns when queue and
`_in_flight` are empty, that is, when all of 1..`last` is stored.

Text that arrives while the publisher is busy, or in the same iteration of the event loop, is joined to one event. There
is no timer: a single token is published at once.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from nats.errors import Error

from agent_service.repository.values import plain_text
from agent_service.stream.acks import AckInbox
from contracts import subjects
from contracts.run_events import Envelope, RunEvent

MAX_IN_FLIGHT = 256
"""Published events without an ack; more text is joined meanwhile."""
ACK_SECONDS = 2.0
"""An event that is not acked in this time is published again."""
PAUSE_SECONDS = 0.1
"""After a publish that failed because the connection is lost."""


@dataclass(slots=True)
class _TextBuffer:
    """Text that can still grow. `event` and `field` as on the wire; `call_id` for the arguments of a call."""

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
        except TypeError:  # a lone surrogate
            return orjson.dumps({name: plain_text(text) for name, text in body.items()})


@dataclass(slots=True)
class _InFlight:
    headers: dict[str, str]
    data: bytes
    sent_at: float


class RunPublisher:
    """The events of one attempt of a run. `last`: the number of the newest event."""

    def __init__(self, acks: AckInbox, user_id: str, run_id: str, attempt: int, last: int = 0) -> None:
        """`last`: the number of the newest event that the stream has from earlier attempts."""
        self.run_id = run_id
        self.attempt = attempt
        self.last = last
        self._acks = acks
        self._subject = subjects.user_run(user_id, run_id)
        self._queue: deque[_TextBuffer | RunEvent] = deque()
        self._open_text: _TextBuffer | None = None
        self._in_flight: dict[int, _InFlight] = {}
        self._queued = asyncio.Event()
        self._slot_freed = asyncio.Event()
        self._all_stored = asyncio.Event()

    @asynccontextmanager
    async def publishing(self) -> AsyncGenerator["RunPublisher"]:
        """Publishes until the block ends. What is not stored by then is dropped: `flush` before."""
        self._reply_prefix = self._acks.register(self)
        self._task = asyncio.create_task(self._publish_queue())
        try:
            yield self
        finally:
            self._task.cancel()
            self._acks.unregister(self._reply_prefix)

    def token(self, text: str) -> None:
        self._add_text("token", "token", None, text)

    def reasoning(self, text: str) -> None:
        self._add_text("reasoning", "token", None, text)

    def tool_args(self, call_id: str, delta: str) -> None:
        self._add_text("tool_args", "delta", call_id, delta)

    def emit(self, event: RunEvent) -> None:
        self._open_text = None
        self._enqueue(event)

    async def flush(self) -> None:
        """Returns when the stream has stored every event so far. Raises the error of the publishing task if it
        fails."""
        while self._queue or self._in_flight:
            self._all_stored.clear()
            stored = asyncio.ensure_future(self._all_stored.wait())
            await asyncio.wait({stored, self._task}, return_when=asyncio.FIRST_COMPLETED)
            stored.cancel()
            if self._task.done():
                self._task.result()

    def _add_text(self, event: str, field: str, call_id: str | None, text: str) -> None:
        buffer = self._open_text
        if buffer is not None and buffer.event == event and buffer.call_id == call_id:
            buffer.parts.append(text)
        elif text:
            self._open_text = _TextBuffer(event, field, call_id, [text])
            self._enqueue(self._open_text)

    def _enqueue(self, event: "_TextBuffer | RunEvent") -> None:
        self._queue.append(event)
        self._queued.set()

    async def _publish_queue(self) -> None:
        while True:
            await self._queued.wait()
            self._queued.clear()
            while self._queue:
                while len(self._in_flight) >= MAX_IN_FLIGHT:
                    self._slot_freed.clear()
                    await self._slot_freed.wait()
                event = self._queue.popleft()
                if event is self._open_text:
                    self._open_text = None
                await self._publish_next(event)

    async def _publish_next(self, event: "_TextBuffer | RunEvent") -> None:
        self.last += 1
        if isinstance(event, _TextBuffer):
            envelope = Envelope(self.last, self.attempt, event.event, event.encode())
        else:
            envelope = Envelope.of(self.last, self.attempt, event)
        self._in_flight[envelope.seq] = _InFlight(
            envelope.headers(self.run_id), envelope.data, asyncio.get_running_loop().time()
        )
        try:
            await self._publish(envelope.seq)
        except (Error, OSError):  # it stays in flight, and is published again after the reconnect
            await asyncio.sleep(PAUSE_SECONDS)

    async def _publish(self, seq: int) -> None:
        event = self._in_flight[seq]
        await self._acks.publish(self._subject, event.data, reply=f"{self._reply_prefix}.{seq}", headers=event.headers)

    def acked(self, seq: int) -> None:
        self._in_flight.pop(seq, None)
        self._slot_freed.set()
        if not self._in_flight and not self._queue:
            self._all_stored.set()

    def refused(self, seq: int) -> None:
        """It is published again with the next `resend`."""
        if seq in self._in_flight:
            self._in_flight[seq].sent_at = 0.0

    async def resend(self, *, everything: bool) -> None:
        now = asyncio.get_running_loop().time()
        for seq, event in sorted(self._in_flight.items()):
            if everything or now - event.sent_at > ACK_SECONDS:
                event.sent_at = now
                if seq in self._in_flight:  # not acked during an earlier publish of this loop
                    await self._publish(seq)
