"""A parser for server-sent events that works on bytes.

Invariant: the events depend only on the bytes, never on how they were cut into chunks. It holds because every branch
works on whole lines: `_partial` holds what came after the last line end, and the shortcut in `feed` is taken only where
nothing is held and the chunk is exactly one event.
"""

MAX_EVENT_BYTES = 8 * 1024 * 1024
_BOM = b"\xef\xbb\xbf"

Event = tuple[bytes, bytes]
"""The event's name, empty if it has none, and its data."""


class EventTooLong(ValueError):
    """One event is longer than `MAX_EVENT_BYTES`."""


class SseParser:
    """Accepts what the standard allows (LF, CRLF, CR, a byte order mark, comments, data in several lines) and common
    deviations: no blank line between two events, no line break after the last."""

    def __init__(self) -> None:
        self._partial: list[bytes] = []
        self._partial_size = 0
        self._name = b""
        self._data: list[bytes] = []
        self._data_size = 0
        self._at_start = True
        self._after_cr = False

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that this chunk completes. Raises `EventTooLong`."""
        if not self._partial and not self._data and not self._name and chunk.endswith(b"}\n\n") and b"\r" not in chunk:
            lines = chunk.count(b"\n")  # exactly one event, as for nearly every token
            if lines == 2 and chunk.startswith(b"data: {"):
                self._at_start = self._after_cr = False
                return [(b"", chunk[6:-2])]
            if lines == 3 and chunk.startswith(b"event: "):
                name, _, data = chunk.partition(b"\n")
                if data.startswith(b"data: {"):
                    self._at_start = self._after_cr = False
                    return [(name[7:], data[6:-2])]
        return self._feed_lines(chunk)

    def close(self) -> list[Event]:
        """The last event, if no blank line follows it."""
        events: list[Event] = []
        if self._partial:
            self._end_line(events)
        self._dispatch(events)
        return events

    def _feed_lines(self, chunk: bytes) -> list[Event]:
        events: list[Event] = []
        if self._after_cr and chunk:  # a CRLF may be cut in the middle
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *others = chunk.split(b"\n")
        self._hold(first)
        for rest in others:
            self._end_line(events)
            self._hold(rest)
        if self._partial_size + self._data_size > MAX_EVENT_BYTES:
            raise EventTooLong
        return events

    def _hold(self, part: bytes) -> None:
        if part:
            self._partial.append(part)
            self._partial_size += len(part)

    def _end_line(self, events: list[Event]) -> None:
        line = b"".join(self._partial)
        self._partial.clear()
        self._partial_size = 0
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            self._dispatch(events)
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            if self._data and self._data[-1].endswith(b"}") and value.startswith((b"{", b"[DONE]")):
                self._dispatch(events)  # `}` and `{` in two lines are never one JSON value: the blank line is missing
            self._data.append(value)
            self._data_size += len(value)
        elif field == b"event":
            if self._data:
                self._dispatch(events)
            self._name = value
        # comments, ids and unknown fields mean nothing here

    def _dispatch(self, events: list[Event]) -> None:
        if self._data:
            events.append((self._name, b"\n".join(self._data)))
            self._data.clear()
            self._data_size = 0
        self._name = b""
