"""What kind of file it is, from its bytes.

What the upload says is not believed: a browser would run a page that calls itself a picture, or the other way round.
Pictures that browsers show are recognised by the library that reads them (`picture_process`), everything else by its
first bytes. Nothing is ever called HTML, SVG, XML or JavaScript: those are plain text, which nobody runs.
"""

import filetype

HEAD_BYTES = 8192
"""What is looked at."""
TEXT = "text/plain"
OTHER = "application/octet-stream"
SHOWN_AS_PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
"""Only if they can be read: see `picture_process`."""
NAMED = frozenset(
    {
        *("application/pdf", "application/zip", "application/gzip", "application/epub+zip", "application/rtf"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.presentation",
        *("image/heic", "image/tiff", "image/bmp"),
        *("video/mp4", "video/webm", "video/quicktime", "audio/mpeg", "audio/mp4", "audio/ogg", "audio/x-wav"),
        *("audio/x-flac", "audio/aac"),
    }
)
"""The other types that are called by their name. They are only ever saved: a PDF may have a script, too."""


def media_type_of(head: bytes) -> str:
    """`head`: the first `HEAD_BYTES` of the file, or all of it. Of a picture it is what it claims to be."""
    found: str | None = filetype.guess_mime(head)
    if found in SHOWN_AS_PICTURES or found in NAMED:
        return found
    return TEXT if found is None and _is_text(head) else OTHER


def _is_text(head: bytes) -> bool:
    """UTF-8 without control characters. A character that `head` cuts in two is none."""
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(head) < HEAD_BYTES or error.start < len(head) - 3:
            return False
        text = head[: error.start].decode("utf-8-sig")
    return not any(ord(character) < 32 and character not in "\t\n\r\f" for character in text)
