"""The order of a run's events: each number once, none left out, and nothing from a worker that has lost the run."""

from collections.abc import Iterator

from gateway.live.event import LiveEvent

AHEAD_MAX_BYTES = 128 * 1024
"""What is kept of events that wait, for earlier ones or for history; past this all of them are let go, and history has
to be read again."""


class Resequencer:
    """`last` is the number given out last; `ahead` holds events that cannot go out yet."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.ahead: dict[int, LiveEvent] = {}
        self._ahead_bytes = 0
        self._overflowed = False
        self._attempt = 0  # of the event given out last
        self._floor = 0  # what a lower attempt says is void

    def take(self, event: LiveEvent) -> Iterator[LiveEvent]:
        """The events that can go out now that this one has come, which is kept where it cannot."""
        if self._is_next(event):
            yield event
            if self.ahead:
                yield from self._ready()

    def is_last(self, event: LiveEvent) -> bool:
        """Whether it is the event given out last, or a repeat of it."""
        return event.seq == self.last and event.attempt >= self._floor

    @property
    def waits(self) -> bool:
        """For an event before those that are here, or that were let go."""
        return bool(self.ahead) or self._overflowed

    def begins_attempt(self, event: LiveEvent) -> bool:
        """Whether it is of a later attempt than the event given out last."""
        return event.attempt > self._attempt > 0

    def _ready(self) -> Iterator[LiveEvent]:
        """The events put aside that follow on what was given out."""
        for seq in sorted(self.ahead):
            if seq > self.last + 1:
                break
            event = self.ahead.pop(seq, None)
            if event is not None:
                self._ahead_bytes -= len(event.frame)
                if self._is_next(event):
                    yield event

    def overflowed(self) -> bool:
        """Whether events were let go since this was last asked."""
        overflowed, self._overflowed = self._overflowed, False
        return overflowed

    def _is_next(self, event: LiveEvent) -> bool:
        if event.attempt < self._floor:
            return False
        if self.begins_attempt(event) and event.seq <= self.last:
            self.last = event.seq - 1  # the attempt before had said more than was stored: that is void now
        if event.seq <= self.last:
            self._floor = event.attempt
            return False
        if event.seq > self.last + 1:
            self._set_aside(event)
            return False
        self.last, self._attempt, self._floor = event.seq, event.attempt, event.attempt
        return True

    def _set_aside(self, event: LiveEvent) -> None:
        held = self.ahead.get(event.seq)
        if held is not None:
            if held.attempt >= event.attempt:
                return
            self._ahead_bytes -= len(held.frame)
        self.ahead[event.seq] = event
        self._ahead_bytes += len(event.frame)
        if self._ahead_bytes > AHEAD_MAX_BYTES:
            self.ahead.clear()
            self._ahead_bytes = 0
            self._overflowed = True


class PendingBuffer:
    """What is heard while history is read, in the order in which it was heard."""

    def __init__(self) -> None:
        self._events: list[LiveEvent] = []
        self._bytes = 0
        self._overflowed = False

    def add(self, event: LiveEvent) -> None:
        self._events.append(event)
        self._bytes += len(event.frame)
        if self._bytes > AHEAD_MAX_BYTES:
            self.take()
            self._overflowed = True

    def take(self) -> list[LiveEvent]:
        events, self._events, self._bytes = self._events, [], 0
        return events

    def overflowed(self) -> bool:
        """Whether events were let go since this was last asked."""
        overflowed, self._overflowed = self._overflowed, False
        return overflowed
