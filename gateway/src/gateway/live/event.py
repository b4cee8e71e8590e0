"""A run's event on its way to readers: the fields that ordering needs, and its bytes as Server-Sent Event."""

from collections.abc import Mapping
from typing import Any

import orjson

from contracts.chat import RebuiltEvent
from contracts.run_events import Envelope, RunEvent


class LiveEvent:
    """Encoded once for all readers. `seq` 0 marks an event of the gateway itself: it has no id on the wire, so that no
    client resumes after it."""

    __slots__ = ("attempt", "event", "frame", "seq")

    def __init__(self, seq: int, attempt: int, event: str, data: bytes) -> None:
        self.seq = seq
        self.attempt = attempt
        self.event = event
        number = b"id: %d\n" % seq if seq else b""
        self.frame = b"%bevent: %b\ndata: %b\n\n" % (number, event.encode(), data)

    @classmethod
    def read(cls, headers: Mapping[str, Any] | None, data: bytes) -> "LiveEvent | None":
        """The event in a message, None where the message is not one. Its data is passed on without parsing it."""
        envelope = Envelope.read(headers, data)
        return None if envelope is None else cls(*envelope)

    @classmethod
    def rebuilt(cls, seq: int, event: RebuiltEvent) -> "LiveEvent":
        """An event rebuilt from the database."""
        return cls(seq, 0, event.event, orjson.dumps(event.data))

    @classmethod
    def own(cls, event: RunEvent) -> "LiveEvent":
        """An event of the gateway, without a number."""
        return cls(0, 0, event.event, event.model_dump_json(exclude_none=True).encode())
