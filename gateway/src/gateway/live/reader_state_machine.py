"""Reading one run as a state machine without I/O: what was received and read goes in; the events for the client and the
next thing to read come out. `RunReader` does the reading.

Invariant: the client gets the run's events 1, 2, 3 …, each exactly once and in order, up to `done`. It holds because

1. the resequencer alone emits numbered events, and only the number `last + 1`: repeats and disorder change nothing;
2. every event is in the log in the end, and the reader goes back to the log whenever it may have missed one: after it
   has joined, after a lost connection, when a number is missing, when a buffer has overflowed, and after a silence;
3. it goes live only at the end of a pass over the log during which none of these happened. Live events received during
   a pass are buffered and taken after it.

The log also comes first when a later attempt is received live. The log has its beginning before anything that the
worker of the attempt before may still publish; received live, such an event could come first and be emitted, though it
is void.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from contracts.chat import Run
from contracts.run_events import Done, ErrorCode, RunFailed
from gateway.live.event import LiveEvent
from gateway.live.resequencer import PendingBuffer, Resequencer

LOG_START = 1
FIRST_BACKOFF, MAX_BACKOFF = 0.02, 1.0
"""Seconds between two passes over the log while something is missing."""
RETAINED_AFTER = 4 * FIRST_BACKOFF
"""From this backoff on a missing event counts as deleted from the log, not as one that is yet to be stored."""
FINAL = ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class ReaderTimeouts:
    """Seconds without a new event. After `look` the log is read again, after `ask` the agent service is asked what the
    run has become, after `limit` the stream ends with a time-out, unless the run waits for a person."""

    look: float = 10.0
    ask: float = 30.0
    limit: float = 90.0


@dataclass(frozen=True, slots=True)
class ReadLog:
    """The page of the log at `position`. Answered by `page_read`."""

    position: int


@dataclass(frozen=True, slots=True)
class ReadRetained:
    """The events after number `after` that the database retains because the run waited for a person. Answered by
    `event_read` for each and `retained_read`."""

    after: int


@dataclass(frozen=True, slots=True)
class GetRun:
    """What the agent service knows of the run. Answered by `run_found` or `run_missing`."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """The run's events as rebuilt from the database, numbered from `after` + 1. Answered by `event_rebuilt` for each
    and `rebuilt`."""

    after: int


@dataclass(frozen=True, slots=True)
class Backoff:
    """Nothing to read for some seconds. Answered by `backed_off`."""

    seconds: float


Request = ReadLog | ReadRetained | GetRun | Rebuild | Backoff


@dataclass(slots=True)
class Joining:
    """The subscription is being confirmed and the place in the log found; live events are buffered."""

    pending: PendingBuffer = field(default_factory=PendingBuffer)


@dataclass(slots=True)
class CatchingUp:
    """The log is read in passes, each from the reader's position to the end of the log; live events are buffered."""

    request: Request
    pending: PendingBuffer
    last_before: int = 0
    """The number emitted last when the pass began."""
    again: bool = False
    """Another pass has to follow."""
    backoff: float = FIRST_BACKOFF
    deleted: bool = False
    """The log has deleted events that the client lacks; the database may have retained them."""
    retained_read_at: int = -1
    """The number emitted last when the retained events were read."""


@dataclass(slots=True)
class Live:
    """Nothing is missing: live events are emitted as they come."""


@dataclass(slots=True)
class Ended:
    """`done` was emitted, or the client is gone."""


Phase = Joining | CatchingUp | Live | Ended


class RunCondition(Enum):
    """What the reader takes the run to be, by its events and by the agent service's answers."""

    ACTIVE = auto()
    UNCONFIRMED = auto()
    """The log has nothing of it, and the agent service has yet to say whether it exists."""
    WAITING = auto()
    """For a person: there is no time limit."""
    OVER = auto()
    """Its last events are in the log or, when one more pass does not find them there, only in the database."""


class ReaderStateMachine:
    """`after` is the number of the last event that the client has. `emit` gets each event for the client. Every `now`
    is a monotonic time in seconds."""

    def __init__(self, after: int, timeouts: ReaderTimeouts, emit: Callable[[LiveEvent], None], now: float) -> None:
        self.phase: Phase = Joining()
        self._timeouts = timeouts
        self._emit = emit
        self._resequencer = Resequencer(after)
        self._condition = RunCondition.ACTIVE
        self._position = LOG_START  # where the log is read next
        self._anchor = LOG_START  # everything in the log before this has been emitted
        self._rewind = False  # the next pass begins at the start of the log
        self._rewound_at = -1  # the number emitted last when silence made a pass begin at the start
        self._attempt_read = 0  # the latest attempt that the log was read for
        self._progress_at = now

    @property
    def last(self) -> int:
        """The number of the last event that the client has."""
        return self._resequencer.last

    @property
    def has_ended(self) -> bool:
        return isinstance(self.phase, Ended)

    @property
    def request(self) -> Request | None:
        """What has to be read now; None outside of `CatchingUp`."""
        return self.phase.request if isinstance(self.phase, CatchingUp) else None

    # From Joining

    def joined_new(self, now: float) -> None:
        """The run has not begun: all its events will be received live."""
        pending = self._leave_joining()
        self.phase = Live()
        for event in pending.take():
            self.received(event, now)
        if pending.overflowed():
            self._need_pass()

    def joined(self, position: int) -> None:
        """The log has the run; the first event that the client lacks is at `position` or after it."""
        self._position = self._anchor = position
        self._begin_pass(CatchingUp(ReadLog(position), self._leave_joining()))

    def joined_unlogged(self, run: Run | None) -> None:
        """The log has nothing of the run. `run` is None where the agent service does not answer. Ends where the client
        has all events already."""
        phase = CatchingUp(ReadLog(LOG_START), self._leave_joining())
        if run is None:
            self._condition = RunCondition.UNCONFIRMED
        else:
            if run.status in FINAL:
                self._condition = RunCondition.OVER
                if 0 < run.last_event_id <= self.last:
                    return self.close()
            phase.deleted = run.last_event_id > self.last
        self._begin_pass(phase)

    # At any time

    def received(self, event: LiveEvent, now: float) -> None:
        """An event was received live."""
        phase = self.phase
        if isinstance(phase, Live):
            if event.attempt > self._resequencer.attempt and self._needs_log_first(event):
                self._need_pass(event)
            else:
                self._take(event, now)
                if self._resequencer.has_gap:
                    self._need_pass()
        elif not isinstance(phase, Ended):
            phase.pending.add(event)

    def reconnected(self) -> None:
        """The live connection was lost and is back: events may have been missed."""
        self._need_pass()

    def check_silence(self, now: float) -> None:
        """To be called every `timeouts.look` seconds."""
        if now - self._progress_at < self._timeouts.look:
            return
        if self._rewound_at != self.last:  # once for each number: an event may lie before where reading began
            self._rewound_at = self.last
            self._rewind = True
        self._need_pass()

    def close(self) -> None:
        """The client is gone."""
        self.phase = Ended()

    def fail(self, code: ErrorCode, message: str, *, retryable: bool = True) -> None:
        """Ends the stream with an error. Its events have no numbers, so that a client that comes back gets the run's
        own."""
        self._put(LiveEvent.own(RunFailed(code=code, message=message, retryable=retryable)), self._progress_at)
        self._put(LiveEvent.own(Done(status="failed")), self._progress_at)

    # Answers to a request

    def page_read(self, events: Sequence[LiveEvent], position: int, now: float, *, more: bool) -> None:
        """`position`: where the next page begins. `more`: whether the log had one when this one was read."""
        for event in events:
            self._take(event, now)
        phase = self.phase
        if not isinstance(phase, CatchingUp):
            return
        self._position = position
        if not self._resequencer.has_gap:
            self._anchor = position
        if more:
            phase.request = ReadLog(position)
        else:
            self._take_pending(phase, now)
            self._after_log(now)

    def event_read(self, event: LiveEvent, now: float) -> None:
        """A retained event."""
        self._take(event, now)

    def retained_read(self, after: int, now: float) -> None:
        """All events of one answer to `ReadRetained(after)` were read."""
        if isinstance(self.phase, CatchingUp):
            self.phase.retained_read_at = after
            self._after_log(now)

    def run_found(self, run: Run, now: float) -> None:
        phase = self.phase
        if not isinstance(phase, CatchingUp):
            return
        before = self._condition
        phase.retained_read_at = -1  # the run may have begun to wait since they were read
        if run.status in FINAL:
            self._condition = RunCondition.OVER
            if before is RunCondition.OVER:
                phase.request = Rebuild(self.last)
                return
            phase.again = self._rewind = True  # its last events may just be on their way into the log
        else:
            self._condition = RunCondition.WAITING if run.status == "waiting" else RunCondition.ACTIVE
            if before is RunCondition.UNCONFIRMED and run.last_event_id > self.last:
                phase.deleted = phase.again = True
            self._fail_after_limit(now)
        self._end_pass(now)

    def run_missing(self) -> None:
        self.fail("internal", "There is no such answer, or no more.", retryable=False)

    def event_rebuilt(self, event: LiveEvent, now: float) -> None:
        """An event rebuilt from the database: it follows on what the client has, whatever its number was."""
        self._put(event, now)

    def rebuilt(self) -> None:
        """The rebuilt events are over, without `done`."""
        self.fail("internal", "The end of this answer was lost.", retryable=False)

    def unavailable(self, now: float) -> None:
        """The broker or the agent service does not answer the request."""
        if isinstance(self.phase, CatchingUp):
            self.phase.again = True
            self._end_pass(now)

    def backed_off(self) -> None:
        if isinstance(self.phase, CatchingUp):
            self._begin_pass(self.phase)

    # Passes over the log

    def _leave_joining(self) -> PendingBuffer:
        assert isinstance(self.phase, Joining)
        return self.phase.pending

    def _need_pass(self, *pending: LiveEvent) -> None:
        """Begins a pass, or has one follow the pass under way. `pending` is taken after it."""
        if isinstance(self.phase, CatchingUp):
            self.phase.again = True
        elif isinstance(self.phase, Live):
            phase = CatchingUp(ReadLog(self._position), PendingBuffer())
            for event in pending:
                phase.pending.add(event)
            self._begin_pass(phase)

    def _begin_pass(self, phase: CatchingUp) -> None:
        if self._resequencer.overflowed():
            self._position = self._anchor
        if self._rewind:
            self._position = self._anchor = LOG_START
            self._rewind = False
        phase.again = False
        phase.last_before = self.last
        phase.request = ReadLog(self._position)
        self.phase = phase

    def _after_log(self, now: float) -> None:
        """Where the log lacks events the retained ones are read; after a silence the agent service is asked."""
        phase = self.phase
        if not isinstance(phase, CatchingUp):
            return
        missing = phase.deleted or (self._resequencer.ahead and phase.backoff >= RETAINED_AFTER)
        if missing and phase.retained_read_at != self.last:
            phase.request = ReadRetained(self.last)
            return
        phase.deleted = False
        unsettled = self._condition in (RunCondition.UNCONFIRMED, RunCondition.OVER)
        if unsettled or now - self._progress_at >= self._timeouts.ask:
            phase.request = GetRun()
        else:
            self._end_pass(now)

    def _end_pass(self, now: float) -> None:
        phase = self.phase
        if not isinstance(phase, CatchingUp):
            return
        phase.again |= phase.pending.overflowed()
        if not phase.again:
            self._take_pending(phase, now)
        if self.has_ended:
            return
        if not phase.again and not self._resequencer.has_gap:
            self.phase = Live()
            return
        phase.backoff = FIRST_BACKOFF if self.last > phase.last_before else min(phase.backoff * 2, MAX_BACKOFF)
        if phase.backoff == MAX_BACKOFF:
            self._rewind = True
        phase.request = Backoff(phase.backoff)
        self._fail_after_limit(now)

    def _fail_after_limit(self, now: float) -> None:
        if self._condition is not RunCondition.WAITING and now - self._progress_at >= self._timeouts.limit:
            self.fail("timeout", "The assistant did not answer in time.")

    # Events

    def _needs_log_first(self, event: LiveEvent) -> bool:
        """Whether the log has to be read before this live event is taken: once for each later attempt."""
        if event.attempt <= self._attempt_read or not self._resequencer.begins_attempt(event):
            return False
        self._attempt_read = event.attempt
        return True

    def _take_pending(self, phase: CatchingUp, now: float) -> None:
        """Takes the live events received during the pass; what needs the log first stays for after the next pass."""
        events = phase.pending.take()
        for index, event in enumerate(events):
            if self._needs_log_first(event):
                phase.again = True
                for later in events[index:]:
                    phase.pending.add(later)
                return
            self._take(event, now)

    def _take(self, event: LiveEvent, now: float) -> None:
        if event.event == Done.event and self._resequencer.is_last(event):
            return self.close()  # the client has it already
        for ready in self._resequencer.add(event):
            self._put(ready, now)

    def _put(self, event: LiveEvent, now: float) -> None:
        if isinstance(self.phase, Ended):
            return
        self._progress_at = now
        self._condition = RunCondition.ACTIVE
        self._emit(event)
        if event.event == Done.event:
            self.phase = Ended()
