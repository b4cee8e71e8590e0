"""File names for notes that every file system accepts."""

import re
import unicodedata

ENDING = ".md"
MAX_BYTES = 200
"""File systems accept 255; some count the whole path, with the folder that the archive is unpacked into."""
UNTITLED = "Untitled"
INVISIBLE = "\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff"
"""Control characters, and those that change the order in which the others are shown."""
UNSAFE = re.compile(rf'[<>:"/\\|?*{INVISIBLE}]+')
RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(\.|$)", re.IGNORECASE)
"""Names of devices on Windows, with any extension."""


def visible(name: str) -> str:
    """A foreign file name for display: without characters that hide or reorder others."""
    return re.sub(f"[{INVISIBLE}]", "\ufffd", name)[:255]


class FileNames:
    """Gives each note of an archive a different name, also for file systems that ignore case."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def name(self, title: str) -> str:
        stem = safe_stem(title)
        key = _folded(stem)
        number = self._next.get(key, 1)
        name = _numbered(stem, number)
        while number > 1 and _folded(name) in self._next:  # a note may be called "Title (2)"
            number += 1
            name = _numbered(stem, number)
        self._next[key] = number + 1
        self._next.setdefault(_folded(name), 2)
        return name + ENDING


def safe_stem(title: str) -> str:
    safe = " ".join(UNSAFE.sub("-", unicodedata.normalize("NFC", title)).split()).rstrip(". ")
    if safe.startswith(".") or RESERVED.match(safe):
        safe = "_" + safe
    return _cut(safe, MAX_BYTES - len(ENDING)) or UNTITLED


def _numbered(stem: str, number: int) -> str:
    if number == 1:
        return stem
    suffix = f" ({number})"
    return _cut(stem, MAX_BYTES - len(ENDING) - len(suffix)) + suffix


def _cut(text: str, limit: int) -> str:
    """At most `limit` bytes of UTF-8, without cutting a character."""
    return text.encode()[:limit].decode(errors="ignore").rstrip(". ")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())
