"""The names of files in an archive."""

import re
from contextlib import suppress
from pathlib import PurePosixPath
from zipfile import ZipInfo

TEXT_ENDINGS = {".md", ".markdown", ".txt"}
ARCHIVE_ENDING = ".zip"
UTF8_NAME = 0x800
DRIVE = re.compile(r"[A-Za-z]:/")
SYSTEM_FILES = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""Files that macOS and Windows create in folders."""
HIDDEN = re.compile(r"\.[^.]")
"""Folders for deleted notes (`.trash`), settings and plugins (`.obsidian`), history (`.git`)."""
LOGSEQ_COPIES = re.compile(r"(^|/)logseq/(bak|\.recycle|version-files)/")
"""Where Logseq keeps earlier versions of notes, and deleted ones."""


def is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def is_expected(name: str) -> bool:
    """Whether a file of this name should become a note, or several."""
    return ending(name) in TEXT_ENDINGS or ending(name) == ARCHIVE_ENDING


def path(entry: ZipInfo) -> str:
    """The entry's name with `/` between its parts. Names not marked as UTF-8 very often are UTF-8 (macOS)."""
    name = entry.filename
    if not entry.flag_bits & UTF8_NAME:
        with suppress(UnicodeError):  # the name really uses DOS's code page
            name = name.encode("cp437").decode()
    return name.replace("\\", "/")


def is_system_file(name: str) -> bool:
    *folders, file = name.split("/")
    return (
        any(HIDDEN.match(folder) for folder in folders)
        or "__MACOSX" in folders
        or file in SYSTEM_FILES
        or file.startswith("._")
        or LOGSEQ_COPIES.search(name) is not None
    )


def points_outside(name: str) -> bool:
    return name.startswith("/") or DRIVE.match(name) is not None or ".." in name.split("/")
