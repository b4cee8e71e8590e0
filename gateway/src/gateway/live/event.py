"""A run's event on its way to readers: what the order needs to know of it, and its bytes on the wire."""

from collections.abc import Mapping
from typing import Any

import orjson

from contracts.chat import RebuiltEvent
from contracts.run_events import Envelope, RunEvent


class LiveEvent:
    """Made once for all readers. `seq` 0 is the gateway's own word: it has no number, so nobody resumes after it."""

    __slots__ = ("attempt", "event", "frame", "seq")

    def __init__(self, seq: int, attempt: int, event: str, data: bytes) -> None:
        self.seq = seq
        self.attempt = attempt
        self.event = event
        number = b"id: %d\n" % seq if seq else b""
        self.frame = b"%bevent: %b\ndata: %b\n\n" % (number, event.encode(), data)

    @classmethod
    def read(cls, headers: Mapping[str, Any] | None, data: bytes) -> "LiveEvent | None":
        """The event in a message, or None where the message is not one. Its data is passed on unread."""
        envelope = Envelope.read(headers, data)
        return None if envelope is None else cls(*envelope)

    @classmethod
    def rebuilt(cls, seq: int, stored: RebuiltEvent) -> "LiveEvent":
        return cls(seq, 0, stored.event, orjson.dumps(stored.data))

    @classmethod
    def own(cls, event: RunEvent) -> "LiveEvent":
        return cls(0, 0, event.event, event.model_dump_json(exclude_none=True).encode())
