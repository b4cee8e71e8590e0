"""A message for a user's WebSockets, parsed and encoded once for all of them."""

import struct

import orjson

NOTES = "notes"
TEXT = 0x81
"""The first byte of a frame that is a whole text message (RFC 6455, 5.2)."""
SHORT, TWO_BYTES, EIGHT_BYTES = 126, 126, 127
"""A length below `SHORT` is in the second byte; that byte is else one of the other two, and the length follows."""


def text_frame(data: bytes) -> bytes:
    """A text message from the server, which is not masked and not compressed. `data`: UTF-8."""
    size = len(data)
    if size < SHORT:
        return b"%c%c%b" % (TEXT, size, data)
    if size < 1 << 16:
        return struct.pack("!BBH", TEXT, TWO_BYTES, size) + data
    return struct.pack("!BBQ", TEXT, EIGHT_BYTES, size) + data


class UserMessage:
    """`cursor`: of a change to a note; None for other messages. Raises `ValueError` and `KeyError` for what is no such
    message."""

    __slots__ = ("cursor", "frame")

    def __init__(self, topic: str, data: bytes) -> None:
        self.frame = text_frame(data)
        self.cursor: int | None = int(orjson.loads(data)["cursor"]) if topic == NOTES else None
