"""Decodes a file's bytes, if the encoding is certain."""

import codecs

from notes_service.transfer.note_file import Unreadable

MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def decode(content: bytes) -> str:
    """UTF-8, or UTF-16 with a byte order mark. Anything else would be a guess: raises `Unreadable`."""
    encoding = next((name for mark, name in MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(f"This is not text in UTF-8 or UTF-16 (see byte {error.start + 1}).") from None
