"""Reading one run as a state machine without I/O: what was received and read goes in; the events for the client and the
next thing to read come out. `RunReader` does the reading.

Invariant: the client gets every event that the log has, each exactly once and in order, up to `done`. Before a
`restart` there may be some that the log never had; the `restart` makes them void. It holds because

1. the resequencer alone emits events, in the order that its invariant states: repeats and disorder change nothing;
2. every event is in the log in the end, unless it is void, and the reader goes back to the log whenever it may have
   missed one: after it has joined, after a lost connection, when one is missing, when a buffer has overflowed, and
   after a silence;
3. it goes live only at the end of a pass over the log during which none of these happened. Live events received during
   a pass are buffered and taken after it.

An event that was published before the reader subscribed, and is not in the log yet, is in a segment that the run's
worker is still filling. A `Flush` has it written, and the newest event published again afterwards: that shows the gap,
if there is one, and the next pass finds the event.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from contracts.chat import Run
from contracts.run_events import BEFORE_FIRST, ApprovalRequired, Done, ErrorCode, EventId, RunFailed
from gateway.live.event import LiveEvent
from gateway.live.resequencer import PendingBuffer, Resequencer

LOG_START = 1
FIRST_BACKOFF, MAX_BACKOFF = 0.005, 1.0
"""Seconds between two passes over the log while something is missing. At first about as long as a flush takes."""
RETAINED_AFTER = 16 * FIRST_BACKOFF
"""From this backoff on a missing event counts as deleted from the log, not as one that is yet to be stored."""
WAITING_LOOKS = 30
"""How many times longer the pause between two looks is while the run waits for a person."""
MAX_NUMBER = 10**15
FINAL = ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class ReaderTimeouts:
    """Seconds without a new event. After `look` the log is read again, after `ask` the agent service is asked what the
    run has become, after `limit` the stream ends with a time-out, unless the run waits for a person."""

    look: float = 10.0
    ask: float = 30.0
    limit: float = 90.0


@dataclass(frozen=True, slots=True)
class Flush:
    """The run's worker is to write its events to the log. Answered by `flush_requested`; nobody says when it is
    done, or whether there is a worker."""


@dataclass(frozen=True, slots=True)
class ReadLog:
    """The page of the log at `position`. Answered by `page_read`."""

    position: int


@dataclass(frozen=True, slots=True)
class ReadRetained:
    """The events after `after` that the database retains because the run waited for a person. Answered by `event_read`
    for each and `retained_read`."""

    after: EventId


@dataclass(frozen=True, slots=True)
class GetRun:
    """What the agent service knows of the run. Answered by `run_found` or `run_missing`."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """The events of the run, whose last attempt was `attempt`, as rebuilt from the database. Answered by
    `event_rebuilt` for each and `rebuilt`."""

    attempt: int


@dataclass(frozen=True, slots=True)
class Backoff:
    """Nothing to read for some seconds. Answered by `backed_off`."""

    seconds: float


Request = Flush | ReadLog | ReadRetained | GetRun | Rebuild | Backoff


@dataclass(slots=True)
class Joining:
    """The subscription is being confirmed and the place in the log found; live events are buffered."""

    pending: PendingBuffer = field(default_factory=PendingBuffer)


@dataclass(slots=True)
class CatchingUp:
    """The log is read in passes, each from the reader's position to the end of the log; live events are buffered."""

    request: Request
    pending: PendingBuffer
    last_before: EventId = BEFORE_FIRST
    """The event emitted last when the pass began."""
    again: bool = False
    """Another pass has to follow."""
    backoff: float = FIRST_BACKOFF
    deleted: bool = False
    """The log has deleted events that the client lacks; the database may have retained them."""
    retained_read_at: EventId | None = None
    """The event emitted last when the retained events were read."""


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
    """`after` is the last event that the client has. `emit` gets each event for the client. Every `now`
    is a monotonic time in seconds."""

    def __init__(self, after: EventId, timeouts: ReaderTimeouts, emit: Callable[[LiveEvent], None], now: float) -> None:
        self.phase: Phase = Joining()
        self._timeouts = timeouts
        self._emit = emit
        self._resequencer = Resequencer(after)
        self._condition = RunCondition.ACTIVE
        self._position = LOG_START  # where the log is read next
        self._anchor = LOG_START  # everything in the log before this has been emitted
        self._rewind = False  # the next pass begins at the start of the log
        self._progress_at = self._looked_at = now

    @property
    def last(self) -> EventId:
        """The last event that the client has."""
        return self._resequencer.last

    @property
    def has_ended(self) -> bool:
        return isinstance(self.phase, Ended)

    @property
    def has_received_nothing(self) -> bool:
        """While joining: whether no live event is waiting."""
        return isinstance(self.phase, Joining) and self.phase.pending.is_empty

    @property
    def request(self) -> Request | None:
        """What has to be read now; None outside of `CatchingUp`."""
        return self.phase.request if isinstance(self.phase, CatchingUp) else None

    # From Joining

    def joined_new(self, now: float) -> None:
        """The run has not begun: all its events will be received live."""
        pending = self._leave_joining()
        self.phase = Live()
        if pending.dropped is not None:
            self._resequencer.miss(pending.dropped)
        for event in pending.take():
            self.received(event, now)
        if self._resequencer.has_gap:
            self._need_pass()

    def joined_replay(self, events: Sequence[LiveEvent], now: float) -> None:
        """Another reader of the run is live, and these are all events that it has given out after those that the client
        has. Nothing was received in between."""
        self._leave_joining()
        self.phase = Live()
        for event in events:
            self._take(event, now, logged=True)

    def joined(self, position: int, *, is_complete: bool) -> None:
        """The log has the run; the first event that the client lacks is at `position` or after it. `is_complete`: the
        log has all of it."""
        self._position = self._anchor = position
        self._begin_pass(CatchingUp(ReadLog(position), self._leave_joining()), flush=not is_complete)

    def joined_unlogged(self, run: Run | None) -> None:
        """The log has nothing of the run. `run` is None where the agent service does not answer. Ends where the client
        has all events already."""
        phase = CatchingUp(ReadLog(LOG_START), self._leave_joining())
        if run is None:
            self._condition = RunCondition.UNCONFIRMED
        else:
            stored = EventId.parse(run.last_event_id)
            if run.status in FINAL:
                self._condition = RunCondition.OVER
                if stored.number > 0 and stored <= self.last <= (run.attempt, MAX_NUMBER):
                    return self.close()
            phase.deleted = stored > self.last
        self._begin_pass(phase, flush=self._condition is not RunCondition.OVER)

    # At any time

    def received(self, event: LiveEvent, now: float) -> None:
        """An event was received live."""
        phase = self.phase
        if isinstance(phase, Live):
            self._take(event, now, logged=False)
            if self._resequencer.has_gap:
                self._need_pass()
        elif not isinstance(phase, Ended):
            phase.pending.add(event)

    def reconnected(self) -> None:
        """The live connection was lost and is back: events may have been missed."""
        self._need_pass()

    def check_silence(self, now: float) -> None:
        """To be called several times in `timeouts.look` seconds, for all readers of a run with the same `now`. A run
        that waits for a person is looked at rarely: it says so when it goes on."""
        waits = self._condition is RunCondition.WAITING
        pause = self._timeouts.look * (WAITING_LOOKS if waits else 1)
        if now - max(self._progress_at, self._looked_at) >= pause:
            self._looked_at = now
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

    def flush_requested(self) -> None:
        if isinstance(self.phase, CatchingUp):
            self.phase.request = ReadLog(self._position)

    def page_read(self, events: Sequence[LiveEvent], position: int, now: float, *, more: bool) -> None:
        """`position`: where the next page begins. `more`: whether the log had one when this one was read."""
        for event in events:
            self._take(event, now, logged=True)
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
        self._take(event, now, logged=True)

    def retained_read(self, after: EventId, now: float) -> None:
        """All events of one answer to `ReadRetained(after)` were read."""
        if isinstance(self.phase, CatchingUp):
            self.phase.retained_read_at = after
            self._after_log(now)

    def run_found(self, run: Run, now: float) -> None:
        phase = self.phase
        if not isinstance(phase, CatchingUp):
            return
        before = self._condition
        phase.retained_read_at = None  # the run may have begun to wait since they were read
        if run.status in FINAL:
            self._condition = RunCondition.OVER
            if before is RunCondition.OVER:
                phase.request = Rebuild(run.attempt)
                return
            phase.again = self._rewind = True  # its last events may just be on their way into the log
        else:
            self._condition = RunCondition.WAITING if run.status == "waiting" else RunCondition.ACTIVE
            if before is RunCondition.UNCONFIRMED and EventId.parse(run.last_event_id) > self.last:
                phase.deleted = phase.again = True
            self._fail_after_limit(now)
        self._end_pass(now)

    def run_missing(self) -> None:
        self.fail("internal", "There is no such answer, or no more.", retryable=False)

    def event_rebuilt(self, event: LiveEvent, now: float) -> None:
        """An event rebuilt from the database. It is of an attempt after all others, so a client may have it only from
        an earlier visit."""
        if event.id > self.last:
            self._put(event, now)
        elif event.event == Done.event:
            self.close()

    def rebuilt(self) -> None:
        """The rebuilt events are over; without `done` the run's end is nowhere."""
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

    def _need_pass(self) -> None:
        """Begins a pass, or has one follow the pass under way."""
        if isinstance(self.phase, CatchingUp):
            self.phase.again = True
        elif isinstance(self.phase, Live):
            self._begin_pass(CatchingUp(ReadLog(self._position), PendingBuffer()))

    def _begin_pass(self, phase: CatchingUp, *, flush: bool = False) -> None:
        if self._resequencer.has_gap:
            self._position = self._anchor
            flush = True
        if self._rewind:
            self._position = self._anchor = LOG_START
            self._rewind = False
        phase.again = False
        phase.last_before = self.last
        phase.request = Flush() if flush else ReadLog(self._position)
        self.phase = phase

    def _after_log(self, now: float) -> None:
        """Where the log lacks events the retained ones are read; after a silence the agent service is asked."""
        phase = self.phase
        if not isinstance(phase, CatchingUp):
            return
        missing = phase.deleted or (self._resequencer.has_gap and phase.backoff >= RETAINED_AFTER)
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

    def _take_pending(self, phase: CatchingUp, now: float) -> None:
        """Takes the live events received during the pass."""
        if phase.pending.dropped is not None:
            self._resequencer.miss(phase.pending.dropped)
        for event in phase.pending.take():
            self._take(event, now, logged=False)

    def _take(self, event: LiveEvent, now: float, *, logged: bool) -> None:
        if self._resequencer.takes_next(event):  # as nearly all do
            return self._put(event, now)
        if event.event == Done.event and (event.id == self.last or (logged and event.id < self.last)):
            return self.close()  # the client has it already
        for ready in self._resequencer.add(event, logged=logged):
            self._put(ready, now)

    def _put(self, event: LiveEvent, now: float) -> None:
        if isinstance(self.phase, Ended):
            return
        self._progress_at = now
        waits = event.event == ApprovalRequired.event
        self._condition = RunCondition.WAITING if waits else RunCondition.ACTIVE
        self._emit(event)
        if event.event == Done.event:
            self.phase = Ended()
