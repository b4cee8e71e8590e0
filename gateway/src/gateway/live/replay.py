"""What one reader of a run has given out so far, for further readers of it: who joins needs nothing from the broker.

Invariant: while it is usable, `events` are exactly the events of the run that a reader which began before the first
would have given out by now. It holds because its recorder is such a reader: it adds every event that it gives out, from
the first on. It is usable only while the recorder is live, so that nothing is received which it has not given out, and
only with all of its events. Numbers have no gap within an attempt, so an event's place in the list is its number less
one; a second attempt ends the recording.

A reader that takes these events, and is registered for live ones in the same turn of the loop, is where the recorder
is. What the recorder may have missed, both find in the way of all readers: by a gap, or after a silence.
"""

from collections.abc import Sequence

from contracts.run_events import EventId
from gateway.live.event import LiveEvent

MAX_EVENTS, MAX_BYTES = 64, 16 * 1024
"""What is kept of one run: the beginning of an answer, or all of one that waits for a person. A longer one is read from
the log, whose pages readers share."""


class Replay:
    """`is_live`: whether its recorder is."""

    __slots__ = ("_bytes", "_events", "_is_whole", "is_live")

    def __init__(self) -> None:
        self.is_live = False
        self._is_whole = True
        self._events: list[LiveEvent] = []
        self._bytes = 0

    def add(self, event: LiveEvent) -> bool:
        """False once there is more than is kept."""
        if not self._is_whole:
            return False
        follows = event.seq == len(self._events) + 1 and (not self._events or event.attempt == self._events[0].attempt)
        self._bytes += len(event.chunk)
        if not follows or self._bytes > MAX_BYTES or len(self._events) >= MAX_EVENTS:
            self.drop()
            return False
        self._events.append(event)
        return True

    def drop(self) -> None:
        self._is_whole = False
        self._events = []

    def after(self, last: EventId) -> Sequence[LiveEvent] | None:
        """The events after `last`; None where they have to be read."""
        if not (self.is_live and self._is_whole and self._events):
            return None
        if last.number > len(self._events) or (last.number and last.attempt != self._events[0].attempt):
            return None
        return self._events[last.number :]
