"""Puts a run's events in order: each id once, none left out, nothing of a worker that has lost the run.

Invariant: what was emitted is, up to `last`, what the log has, followed by at most a tail of `last.attempt` that the
log will never have, because its worker died before it was stored. It holds because

1. an event of `last.attempt` is emitted only with the number after `last`, and numbers within an attempt have no gap;
2. an event of a later attempt is emitted only as the first of that attempt, and only in the order of the log, where all
   that comes before it was emitted. Its number is at most the one after `last`: if it is lower, the tail was void, and
   clients discard it on `restart`. Received live it could be preceded in the log by another attempt that was missed;
3. an event of an earlier attempt is dropped: either it was emitted, or it is of a worker that has lost the run.

Ids are never used twice, so this holds as well for a client that comes back with the id of a void event.
"""

from collections.abc import Iterator, Sequence

from contracts.run_events import EventId
from gateway.live.event import LiveEvent

BUFFER_MAX_BYTES = 128 * 1024
"""What either buffer of a reader holds. Past this it drops all it has, which then is missing until it was read from the
log."""


class Resequencer:
    """`ahead` buffers events whose predecessors are missing, by id; `_dropped` is the latest of those for which it was
    too small."""

    def __init__(self, last: EventId) -> None:
        self.ahead: dict[EventId, LiveEvent] = {}
        self._attempt, self._number = last
        self._ahead_bytes = 0
        self._dropped = last

    @property
    def last(self) -> EventId:
        """The id of the event emitted last."""
        return EventId(self._attempt, self._number)

    def takes_next(self, event: LiveEvent) -> bool:
        """As `add`, where the event is the only one that can be emitted with it; else False, and nothing is changed."""
        if event.seq != self._number + 1 or event.attempt != self._attempt or self.ahead:
            return False
        self._number = event.seq
        return True

    def add(self, event: LiveEvent, *, logged: bool) -> Sequence[LiveEvent]:
        """The events that can be emitted now that `event` has come, in order. Buffers it where it cannot. `logged`: it
        was read from the log, with all that the log has between it and the event read before."""
        if event.attempt == self._attempt and event.seq == self._number + 1:
            self._number = event.seq
        elif event.id <= self.last:
            return ()
        elif logged and event.attempt > self._attempt and event.begins_attempt and event.seq <= self._number + 1:
            self._attempt, self._number = event.id
            self._drop_void()
        else:
            self._buffer(event)
            return ()
        return (event, *self._following()) if self.ahead else (event,)

    @property
    def has_gap(self) -> bool:
        """Whether an event is missing before those that have come, or before those that were dropped."""
        return bool(self.ahead) or self._dropped > self.last

    def miss(self, event_id: EventId) -> None:
        """An event with this id has come, and was dropped."""
        self._dropped = max(self._dropped, event_id)

    def _following(self) -> Iterator[LiveEvent]:
        """The buffered events that follow directly on `last`."""
        self._pop(self.last)  # a repeat of the event that has just come
        while (event := self._pop(EventId(self._attempt, self._number + 1))) is not None:
            self._number += 1
            yield event

    def _pop(self, event_id: EventId) -> LiveEvent | None:
        event = self.ahead.pop(event_id, None)
        if event is not None:
            self._ahead_bytes -= len(event.chunk)
        return event

    def _drop_void(self) -> None:
        for event_id in [buffered for buffered in self.ahead if buffered < self.last]:
            self._pop(event_id)

    def _buffer(self, event: LiveEvent) -> None:
        if event.id in self.ahead:
            return
        self.ahead[event.id] = event
        self._ahead_bytes += len(event.chunk)
        if self._ahead_bytes > BUFFER_MAX_BYTES:
            self.miss(max(self.ahead))
            self.ahead.clear()
            self._ahead_bytes = 0


class PendingBuffer:
    """Live events received while the log is read, in the order of arrival. `dropped`: the latest of those for which it
    was too small."""

    def __init__(self) -> None:
        self.dropped: EventId | None = None
        self._events: list[LiveEvent] = []
        self._bytes = 0

    def add(self, event: LiveEvent) -> None:
        self._events.append(event)
        self._bytes += len(event.chunk)
        if self._bytes > BUFFER_MAX_BYTES:
            self.dropped = max(dropped.id for dropped in self.take())

    @property
    def is_empty(self) -> bool:
        """Nothing has come since it was last taken."""
        return not self._events and self.dropped is None

    def take(self) -> list[LiveEvent]:
        """Empties the buffer."""
        events, self._events, self._bytes = self._events, [], 0
        return events
