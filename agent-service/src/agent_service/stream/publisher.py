"""One run's events: numbered, published live, and written to the log in segments.

Invariant: every number from the first of this attempt to `last` is stored in the log, or is in the segment in flight,
or in `_frames`, in this order, with the bytes that were published live. An event gets the next number when it is
published, and its frame moves on in this order only: into a segment when none is in flight, and out of that by its ack.
What is not acked in time, and everything after a reconnect, is sent again with the same bytes. So the log ends up with
every number, whatever publishes, acks or connections are lost.

Segments are stored in order and by one worker, because each names the one before it (`segment_headers`) and there is
one in flight: the next takes what has gathered meanwhile. If the stream refuses one, the log's newest segment shows
why. It is the same one, whose ack was lost; or a later worker's, which ends this attempt; or, after the stream has lost
its newest, an older one, on which this one then follows.

Text of one turn of the event loop is one event. There is no timer before it is published: a single token goes out at
once.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
import structlog

from agent_service.errors import LeaseLost
from agent_service.repository.values import plain_text
from agent_service.stream.event_publisher import EventPublisher
from contracts import subjects
from contracts.run_events import (
    ApprovalDecided,
    ApprovalRequired,
    Done,
    Envelope,
    EventId,
    MessageDone,
    Restarted,
    RunBegan,
    RunEvent,
    RunFailed,
    ToolCallBegan,
    ToolDone,
    read_frames,
    segment_headers,
)
from servicekit.direct_get import sequence_of

log = structlog.stdlib.get_logger()

SEGMENT_BYTES = 32 * 1024
"""A segment ends before the event that would pass this; it has one at least."""
ACK_SECONDS = 2.0
"""A segment that is not acked in this time is sent again."""
WRITTEN_AT_ONCE = (
    RunBegan,
    ToolCallBegan,
    ToolDone,
    ApprovalRequired,
    ApprovalDecided,
    MessageDone,
    Restarted,
    RunFailed,
    Done,
)
"""What others depend on does not wait for the segment to fill."""


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
class _Segment:
    last: EventId
    frames: bytes
    headers: Mapping[str, str]
    sent_at: float
    is_refused: bool = False


class RunPublisher:
    """The events of one worker of a run. Every method but `flush` and `resend` returns at once."""

    def __init__(
        self, events: EventPublisher, user_id: str, run_id: str, last: EventId, stream_sequence: int = 0
    ) -> None:
        """`last`: the newest event in the log; those published here have its attempt and follow on its number.
        `stream_sequence`: of the run's newest segment, 0 if there is none."""
        self.run_id = run_id
        self._attempt = last.attempt
        self._number = last.number
        self._stored = last.number
        self._stream_sequence = stream_sequence
        self._events = events
        self._live = subjects.user_live(user_id, run_id)
        self._log = subjects.run_log(user_id, run_id)
        self._queue: list[_TextBuffer | RunEvent] = []
        self._open_text: _TextBuffer | None = None
        self._frames: list[bytes] = []
        self._frame_bytes = 0
        self._newest: bytes | None = None
        self._segment: _Segment | None = None
        self._is_due = False
        self._has_timer = False
        self._republishes_newest = False
        self._failure: Exception | None = None
        self._flushing = 0
        self._changed = asyncio.Event()

    @property
    def last(self) -> EventId:
        """The newest event that was published."""
        return EventId(self._attempt, self._number)

    @asynccontextmanager
    async def publishing(self) -> AsyncGenerator["RunPublisher"]:
        """Publishes until the block ends. What is not stored by then is dropped: `flush` before."""
        self._events.register(self)
        try:
            yield self
        finally:
            self._events.unregister(self)
            self._failure = self._failure or LeaseLost()

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
        """Returns when the log has every event so far. Raises `LeaseLost` if another worker has the run, and the error
        of an event that cannot be published."""
        self._flushing += 1
        try:
            if not self._queue:  # else they are written together with what is published in this turn
                self.write()
            while self._failure is None and (self._queue or self._frames or self._segment is not None):
                self._changed.clear()
                await self._changed.wait()
        finally:
            self._flushing -= 1
        if self._failure is not None:
            raise self._failure

    def _add_text(self, event: str, field: str, call_id: str | None, text: str) -> None:
        buffer = self._open_text
        if buffer is not None and buffer.event == event and buffer.call_id == call_id:
            buffer.parts.append(text)
        elif text:
            self._open_text = _TextBuffer(event, field, call_id, [text])
            self._enqueue(self._open_text)

    def _enqueue(self, event: "_TextBuffer | RunEvent") -> None:
        if not self._queue:
            self._events.publish_soon(self)
        self._queue.append(event)

    # Called by `EventPublisher`

    def publish_queued(self) -> None:
        if self._failure is not None:
            return
        queue, self._queue, self._open_text = self._queue, [], None
        frames: list[bytes] = []
        for event in queue:
            self._number += 1
            if isinstance(event, _TextBuffer):
                envelope = Envelope(self._number, self._attempt, event.event, event.encode())
            else:
                envelope = Envelope.of(self._number, self._attempt, event)
                self._is_due = self._is_due or isinstance(event, WRITTEN_AT_ONCE)
            frames.append(envelope.frame())
        payload = frames[0] if len(frames) == 1 else b"".join(frames)
        self._events.publish_live(self._live, payload)
        self._newest = frames[-1]
        self._frames += frames
        self._frame_bytes += len(payload)
        if self._is_due or self._flushing or self._frame_bytes >= SEGMENT_BYTES:
            self.write()
        elif not self._has_timer:
            self._has_timer = True
            self._events.write_later(self)

    def write_due(self) -> None:
        self._has_timer = False
        self.write()

    def write(self) -> None:
        """Sends the next segment, or has it follow the one in flight."""
        if self._failure is not None or not self._frames:
            return
        if self._segment is not None:
            self._is_due = True
            return
        count, size = 0, 0
        for frame in self._frames:
            if count and size + len(frame) > SEGMENT_BYTES:
                break
            count, size = count + 1, size + len(frame)
        frames, self._frames = self._frames[:count], self._frames[count:]
        self._frame_bytes -= size
        self._is_due = bool(self._frames) and self._is_due
        last = EventId(self._attempt, self._stored + count)
        headers = segment_headers(self.run_id, last, self._stream_sequence)
        self._segment = _Segment(last, b"".join(frames), headers, 0.0)
        self._send(self._segment)

    def write_for_reader(self) -> None:
        self._republishes_newest = True
        self.write()
        self._republish_newest()

    def acked(self, last: EventId, stream_sequence: int) -> None:
        if self._segment is None or self._segment.last != last:
            return
        self._segment = None
        self._stored, self._stream_sequence = last.number, stream_sequence
        if self._is_due or self._flushing or self._frame_bytes >= SEGMENT_BYTES:
            self.write()
        self._republish_newest()
        self._changed.set()

    def refused(self, last: EventId) -> None:
        if self._segment is not None and self._segment.last == last:
            self._segment.is_refused = True

    def not_stored(self, last: EventId) -> None:
        if self._segment is not None and self._segment.last == last:
            self._segment.sent_at = 0.0

    def fail(self, error: Exception) -> None:
        self._failure = self._failure or error
        self._changed.set()

    async def resend(self, *, everything: bool) -> None:
        self._republishes_newest = self._republishes_newest or everything  # those of a broken connection are lost
        segment = self._segment
        if segment is None:
            self._republish_newest()
        elif segment.is_refused:
            await self._compare_with_log(segment)
        elif everything or asyncio.get_running_loop().time() - segment.sent_at > ACK_SECONDS:
            self._send(segment)

    async def _compare_with_log(self, segment: _Segment) -> None:
        """Why the stream refused the segment. Raises `nats.errors.Error` if the broker does not answer."""
        msg = await self._events.log.last(self._log)
        if segment is not self._segment:
            return
        newest = read_frames(msg.data)[-1].id if msg is not None else None
        sequence = sequence_of(msg) if msg is not None else 0
        if newest is not None and newest > segment.last:
            log.warning("events of another worker", run_id=self.run_id, newest=str(newest), ours=str(segment.last))
            self.fail(LeaseLost())
        elif newest == segment.last:
            self.acked(segment.last, sequence)
        else:
            segment.headers = segment_headers(self.run_id, segment.last, sequence)
            segment.is_refused = False
            self._send(segment)

    def _send(self, segment: _Segment) -> None:
        segment.sent_at = asyncio.get_running_loop().time()
        self._events.publish_segment(self._log, segment.frames, self.run_id, segment.last, segment.headers)

    def _republish_newest(self) -> None:
        """Once the log has all, the newest event: who lacks any sees a gap, and reads the log."""
        if self._republishes_newest and self._segment is None and not self._frames:
            self._republishes_newest = False
            if self._newest is not None:
                self._events.publish_live(self._live, self._newest)
