"""A run's event on its way to readers: the fields that ordering needs, and its bytes on the wire."""

import orjson

from contracts.chat import RebuiltEvent, RetainedEvent
from contracts.run_events import EventId, RunEvent, split_frames


def chunk(body: bytes) -> bytes:
    """A part of a response's body in the chunked transfer coding."""
    return b"%x\r\n%b\r\n" % (len(body), body)


class LiveEvent:
    """Encoded once for all readers, as a chunk of their responses. `seq` is the number in its id; attempt 0 marks an
    event of the gateway itself: it has no id on the wire, so that no client resumes after it."""

    __slots__ = ("attempt", "chunk", "event", "seq")

    def __init__(self, seq: int, attempt: int, event: str, data: bytes) -> None:
        self.seq = seq
        self.attempt = attempt
        self.event = event
        id_line = b"id: %d.%d\n" % (attempt, seq) if attempt else b""
        self.chunk = chunk(b"%bevent: %b\ndata: %b\n\n" % (id_line, event.encode(), data))

    @property
    def id(self) -> EventId:
        return EventId(self.attempt, self.seq)

    @property
    def begins_attempt(self) -> bool:
        return self.event == "restart" or self.seq == 1

    @classmethod
    def read(cls, payload: bytes) -> "list[LiveEvent]":
        """The events in a message. Their data is passed on without parsing it. Raises `MalformedFrames`."""
        return [
            cls(int(number), int(attempt), event.decode(), data)
            for attempt, number, event, data in split_frames(payload)
        ]

    @classmethod
    def retained(cls, event: RetainedEvent) -> "LiveEvent":
        return cls(event.id, event.attempt, event.event, event.data.encode())

    @classmethod
    def rebuilt(cls, attempt: int, event: RebuiltEvent) -> "LiveEvent":
        """An event rebuilt from the database, in an attempt of its own."""
        return cls(event.id, attempt, event.event, orjson.dumps(event.data))

    @classmethod
    def own(cls, event: RunEvent) -> "LiveEvent":
        """An event of the gateway, without an id."""
        return cls(0, 0, event.event, event.model_dump_json(exclude_none=True).encode())
