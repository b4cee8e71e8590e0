"""Publishes the events of all runs of a process: live at once, and in segments to the log.

One turn of the event loop, one timer and one inbox for all of them: what runs emit in the same turn goes out in
one write, and nothing here costs a task or a timer for each run.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

import orjson
import structlog
from nats.errors import ConnectionClosedError, Error, MaxPayloadError

from contracts.run_events import EventId
from contracts.streams import RUN_EVENTS
from servicekit.background import LoopHealth, in_background, repeat, report
from servicekit.direct_get import DirectGet
from servicekit.error_logging import describe
from servicekit.nats_client import Connection

log = structlog.stdlib.get_logger()

SEGMENT_SECONDS = 0.25
"""How long an event waits for others before its segment is written."""
TICK_SECONDS = 0.02
"""Segments that are due within this time of each other are written together, the later ones early."""
RESEND_SECONDS = 0.5
LOOP = "publish events"
WRONG_LAST_SEQUENCE = (10071, 10164)


class Run(Protocol):
    """A run whose events are published. No method waits, but `resend`."""

    run_id: str

    def publish_queued(self) -> None:
        """Publishes what has gathered in this turn of the loop."""
        ...

    def write_due(self) -> None:
        """Writes a segment, if there is anything to write."""
        ...

    def write_for_reader(self) -> None:
        """Writes a segment at once; afterwards publishes the newest event again."""
        ...

    def acked(self, last: EventId, stream_sequence: int) -> None:
        """The segment that ends with `last` is stored."""
        ...

    def refused(self, last: EventId) -> None:
        """The log has another newest segment than the worker knows."""
        ...

    def not_stored(self, last: EventId) -> None:
        """The stream could not; the same segment may be sent again."""
        ...

    def fail(self, error: Exception) -> None: ...

    async def resend(self, *, everything: bool) -> None:
        """Sends the segment again that was not stored in time; with `everything`, any that is not acked."""
        ...


class EventPublisher:
    """A segment is published with the reply subject `<inbox>.<run>.<attempt>.<number>`, named after its newest event,
    to which JetStream sends its ack."""

    def __init__(self, nc: Connection, loops: LoopHealth) -> None:
        self.log = DirectGet(nc, RUN_EVENTS)
        self._nc = nc
        self._loops = loops
        self._loop = asyncio.get_running_loop()
        self._inbox = nc.new_inbox()
        self._runs: dict[str, Run] = {}
        self._queued: list[Run] = []
        self._turn: asyncio.Handle | None = None
        self._due: deque[tuple[float, Run]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._reconnects = 0

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["EventPublisher"]:
        self._reconnects = self._nc.stats["reconnects"]
        subscription = await self._nc.subscribe_now(f"{self._inbox}.*.*.*", self._receive_ack)
        try:
            async with in_background(repeat("resend events", self._resend, RESEND_SECONDS, self._loops)):
                yield self
        finally:
            for handle in (self._turn, self._timer):
                if handle is not None:
                    handle.cancel()
            if self._nc.is_connected:
                await subscription.unsubscribe()

    def register(self, run: Run) -> None:
        self._runs[run.run_id] = run

    def unregister(self, run: Run) -> None:
        del self._runs[run.run_id]

    def publish_soon(self, run: Run) -> None:
        """It has events in its queue, and may get more before this turn of the loop is over."""
        self._queued.append(run)
        if self._turn is None:
            self._turn = self._loop.call_soon(self._publish_queued)

    def write_later(self, run: Run) -> None:
        self._due.append((self._loop.time() + SEGMENT_SECONDS, run))
        if self._timer is None:
            self._timer = self._loop.call_at(self._due[0][0], self._write_due)

    def write_for_reader(self, run_id: str) -> None:
        """A reader has joined the run in the middle of a segment. Does nothing for runs of other processes."""
        if run := self._runs.get(run_id):
            run.write_for_reader()

    def publish_live(self, subject: str, frames: bytes) -> None:
        """Raises `nats.errors.MaxPayloadError`. Without a connection they are lost: readers find them in the log."""
        self._publish(subject, frames)

    def publish_segment(
        self, subject: str, frames: bytes, run_id: str, last: EventId, headers: Mapping[str, str]
    ) -> None:
        """One of `acked`, `refused` and `not_stored` follows, or nothing. Raises as `publish_live`."""
        self._publish(subject, frames, f"{self._inbox}.{run_id}.{last}", headers)

    def _publish(self, subject: str, data: bytes, reply: str = "", headers: Mapping[str, str] | None = None) -> None:
        try:
            self._nc.publish_now(subject, data, reply=reply, headers=headers)
        except ConnectionClosedError:
            return

    def _publish_queued(self) -> None:
        """Without a connection events stay in the queues of the runs, where text is joined, until there is one
        again."""
        self._turn = None
        if not self._nc.is_connected:
            return
        runs, self._queued = self._queued, []
        for run in runs:
            try:
                run.publish_queued()
            except Exception as error:  # a bug, or an event that no broker takes: the others go on
                if not isinstance(error, MaxPayloadError):
                    report(LOOP, error, self._loops)
                run.fail(error)

    def _write_due(self) -> None:
        self._timer = None
        limit = self._loop.time() + TICK_SECONDS
        while self._due and self._due[0][0] <= limit:
            self._due.popleft()[1].write_due()
        if self._due:
            self._timer = self._loop.call_at(self._due[0][0], self._write_due)

    def _receive_ack(self, subject: str, data: bytes) -> None:
        try:
            self._take_ack(subject, data)
        except Exception as error:  # a bug; the segment is sent again
            report(LOOP, error, self._loops)

    def _take_ack(self, subject: str, data: bytes) -> None:
        _, run_id, attempt, number = subject.rsplit(".", 3)
        run, last = self._runs.get(run_id), EventId(int(attempt), int(number))
        if run is None:
            return
        reply = orjson.loads(data or b"{}")  # empty: there is no stream, or no JetStream
        if "error" not in reply and "seq" in reply:
            run.acked(last, reply["seq"])
        elif reply.get("error", {}).get("err_code") in WRONG_LAST_SEQUENCE:
            run.refused(last)
        else:
            log.warning("events not stored", run_id=run_id, reply=data.decode(errors="replace"))
            run.not_stored(last)

    async def _resend(self) -> None:
        if not self._nc.is_connected:
            return
        if self._queued:
            self._publish_queued()
        reconnects = self._nc.stats["reconnects"]
        everything, self._reconnects = reconnects != self._reconnects, reconnects
        for run in list(self._runs.values()):
            try:
                await run.resend(everything=everything)
            except (Error, OSError) as error:  # lost again: after the next reconnect everything is sent again
                log.warning("events not resent", run_id=run.run_id, error=describe(error))
