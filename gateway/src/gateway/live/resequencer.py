"""Puts a run's events in order: each number once, none left out, nothing from a worker that has lost the run.

Invariant: the event emitted next has the number `last + 1`. An event with a greater number is buffered until those
before it have come; one with a number up to `last` is a repeat and dropped.

A new attempt may begin at a lower number. The worker that takes a run over continues after the last event that the log
has, so what the worker before it published beyond that is void, even where it was emitted: `last` goes back to before
the first event of the new attempt, and clients discard what they have on its `restart`. From then on events of earlier
attempts are dropped whatever their number, because their worker has lost the run.
"""

from collections.abc import Iterator, Sequence

from gateway.live.event import LiveEvent

BUFFER_MAX_BYTES = 128 * 1024
"""What either buffer of a reader holds. Past this it drops all it has, and the log has to be read again."""


class Resequencer:
    """`last` and `attempt` are those of the event emitted last; `attempt` is 0 before the first. `ahead` buffers events
    whose predecessors are missing, by number."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.ahead: dict[int, LiveEvent] = {}
        self._ahead_bytes = 0
        self._overflowed = False
        self.attempt = 0
        self._floor = 0  # events of lower attempts are void

    def add(self, event: LiveEvent) -> Sequence[LiveEvent]:
        """The events that can be emitted now that `event` has come, in order. Buffers it where it cannot."""
        if not self._is_next(event):
            return ()
        return (event, *self._following()) if self.ahead else (event,)

    def is_last(self, event: LiveEvent) -> bool:
        """Whether it is the event emitted last, or a repeat of it."""
        return event.seq == self.last and event.attempt >= self._floor

    @property
    def has_gap(self) -> bool:
        """Whether an event is missing before those that have come, or before those that were dropped."""
        return bool(self.ahead) or self._overflowed

    def begins_attempt(self, event: LiveEvent) -> bool:
        """Whether it is of a later attempt than the event emitted last."""
        return event.attempt > self.attempt > 0

    def overflowed(self) -> bool:
        """Whether buffered events were dropped since the last call."""
        overflowed, self._overflowed = self._overflowed, False
        return overflowed

    def _following(self) -> Iterator[LiveEvent]:
        """The buffered events that follow directly on `last`."""
        for seq in sorted(self.ahead):
            if seq > self.last + 1:
                break
            event = self.ahead.pop(seq, None)
            if event is not None:
                self._ahead_bytes -= len(event.frame)
                if self._is_next(event):
                    yield event

    def _is_next(self, event: LiveEvent) -> bool:
        if event.attempt < self._floor:
            return False
        if event.seq <= self.last and self.begins_attempt(event):
            self.last = event.seq - 1
        if event.seq <= self.last:
            self._floor = event.attempt
            return False
        if event.seq > self.last + 1:
            self._buffer(event)
            return False
        self.last, self.attempt, self._floor = event.seq, event.attempt, event.attempt
        return True

    def _buffer(self, event: LiveEvent) -> None:
        """Of two events with one number that of the later attempt stays."""
        other = self.ahead.get(event.seq)
        if other is not None:
            if other.attempt >= event.attempt:
                return
            self._ahead_bytes -= len(other.frame)
        self.ahead[event.seq] = event
        self._ahead_bytes += len(event.frame)
        if self._ahead_bytes > BUFFER_MAX_BYTES:
            self.ahead.clear()
            self._ahead_bytes = 0
            self._overflowed = True


class PendingBuffer:
    """Live events received while the log is read, in the order of arrival."""

    def __init__(self) -> None:
        self._events: list[LiveEvent] = []
        self._bytes = 0
        self._overflowed = False

    def add(self, event: LiveEvent) -> None:
        self._events.append(event)
        self._bytes += len(event.frame)
        if self._bytes > BUFFER_MAX_BYTES:
            self.take()
            self._overflowed = True

    def take(self) -> list[LiveEvent]:
        """Empties the buffer."""
        events, self._events, self._bytes = self._events, [], 0
        return events

    def overflowed(self) -> bool:
        """Whether events were dropped since the last call."""
        overflowed, self._overflowed = self._overflowed, False
        return overflowed
