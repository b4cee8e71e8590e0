"""The files in an uploaded, untrusted zip, each read separately.

`zipfile` checks the format; this module enforces limits: on the directory before it is read, on every file before it is
unpacked, and on all of them together.
"""

import io
import stat
import struct
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from notes_service.transfer import entry_names
from notes_service.transfer.limits import FILE_MAX_BYTES, TOO_LARGE, Limits
from notes_service.transfer.note_file import Unreadable
from notes_service.transfer.zip_dates import modified

DIRECTORY_BYTES_PER_FILE = 300
"""Bytes per file in the zip's directory: 46, and the file's path."""
SMALL_BYTES = 64 * 1024 * 1024
"""A zip may always unpack to this much, however small it is."""
ENCRYPTED = 0x1
ENTRY = b"PK\x01\x02"
"""Signature of each entry of the directory, and so of the directory."""
ENTRY_BYTES = 46
"""The length of an entry before its name."""
DAMAGED = (BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
"""The exceptions of `zipfile` for damaged zips; an `OSError` for an offset outside the file."""


class _Guarded:
    """Limits reads of the uploaded file: `ZipFile` reads a directory at once, however large it claims to be."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file = file
        self._limit = limit
        self.is_opening = True
        self.seek = file.seek
        self.tell = file.tell
        self.seekable = file.seekable

    def read(self, size: int = -1, /) -> bytes:
        if size > self._limit:
            raise BadZipFile("too large a directory")
        data = self._file.read(self._limit if size < 0 else size)
        return _with_readable_names(data) if self.is_opening and data.startswith(ENTRY) else data


def _with_readable_names(directory: bytes) -> bytes:
    """Clears the UTF-8 flag of names that are not UTF-8: for one of them, `zipfile` would refuse the whole zip."""
    corrected, at = bytearray(directory), 0
    while directory.startswith(ENTRY, at) and at + ENTRY_BYTES <= len(directory):
        (flags,) = struct.unpack_from("<H", directory, at + 8)
        name, extra, comment = struct.unpack_from("<3H", directory, at + 28)
        start = at + ENTRY_BYTES
        if flags & entry_names.UTF8_NAME and not entry_names.is_utf8(directory[start : start + name]):
            struct.pack_into("<H", corrected, at + 8, flags & ~entry_names.UTF8_NAME)
        at = start + name + extra + comment
    return bytes(corrected)


class ZipEntry:
    """One file. `read` raises `Unreadable`."""

    def __init__(self, archive: "Zip", info: ZipInfo, name: str, *, repeated: bool) -> None:
        self.name = name
        self._archive = archive
        self._info = info
        self._repeated = repeated

    @property
    def modified(self) -> datetime | None:
        return modified(self._info)

    def read(self) -> bytes:
        if reason := self._refusal():
            raise Unreadable(reason)
        return self._archive.unpack(self._info)

    def _refusal(self) -> str | None:
        kind = stat.S_IFMT(self._info.external_attr >> 16)
        ending = entry_names.ending(self.name)
        if entry_names.points_outside(self.name):
            return "The file's name points outside of the archive."
        if kind not in (0, stat.S_IFREG):
            return "This is a link or a device, not a file."
        if ending == entry_names.ARCHIVE_ENDING:
            return "This is an archive inside the archive: import it by itself."
        if ending not in entry_names.TEXT_ENDINGS:
            return "This is not a Markdown or text file."
        if self._repeated:
            return "Another file in the archive has the same name; only the first one is read."
        return None


class Zip:
    """Raises `Unreadable` if the zip as a whole cannot be read. `files` leaves out folders and system files."""

    def __init__(self, file: BinaryIO, limits: Limits) -> None:
        size = file.seek(0, io.SEEK_END)
        self._left = min(limits.total_bytes, SMALL_BYTES + limits.ratio * size)
        try:
            guarded = _Guarded(file, max(DIRECTORY_BYTES_PER_FILE * limits.files, FILE_MAX_BYTES + 1))
            self._zip = ZipFile(guarded)
            guarded.is_opening = False
        except DAMAGED:
            raise Unreadable("This zip cannot be read: it is damaged, cut off, or lists too many files.") from None

    def files(self) -> Iterator[ZipEntry]:
        names: set[str] = set()
        for info in self._zip.infolist():
            name = entry_names.path(info)
            if not name.endswith("/") and not entry_names.is_system_file(name):
                yield ZipEntry(self, info, name, repeated=name in names)
                names.add(name)

    def unpack(self, info: ZipInfo) -> bytes:
        """Never unpacks more than the size that the entry claims, which is bounded. Raises `Unreadable`."""
        if info.flag_bits & ENCRYPTED:
            raise Unreadable("This file is encrypted.")
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise Unreadable("This file is compressed in an unusual way; only plain zip compression is read.")
        if info.file_size > FILE_MAX_BYTES:
            raise Unreadable(TOO_LARGE)
        if info.file_size > self._left:
            raise Unreadable("The archive unpacks to more than is allowed, so this file was not read.")
        self._left -= info.file_size
        try:
            with self._zip.open(info) as content:
                return content.read(info.file_size + 1)
        except DAMAGED:
            raise Unreadable("This file is damaged in the archive.") from None
