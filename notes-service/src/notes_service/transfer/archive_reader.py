"""The notes in one uploaded file, zip or text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import BinaryIO, Protocol

import structlog

from notes_service.transfer import entry_names, limits
from notes_service.transfer.encoding import decode
from notes_service.transfer.file_names import visible
from notes_service.transfer.limits import FILE_MAX_BYTES, TOO_LARGE, Limits
from notes_service.transfer.markdown_file import parse
from notes_service.transfer.note_file import NoteFile, Unreadable
from notes_service.transfer.zip_entries import Zip

log = structlog.stdlib.get_logger()

BROKEN = "This file could not be read because of an error in the server, which has logged it."
ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")
"""The signatures of a zip with files, and of an empty one."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """`name`: the file's path in the archive, or the uploaded file's own name, as it is shown to the user; `path`: the
    same in full, by which links name it."""

    name: str
    note: NoteFile
    path: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class SkippedFile:
    """`reason` is a sentence for the user."""

    name: str
    reason: str


class File(Protocol):
    """`read` raises `Unreadable`."""

    @property
    def name(self) -> str: ...

    @property
    def modified(self) -> datetime | None: ...

    def read(self) -> bytes: ...


class Upload:
    """Iterates over the files in the upload, each read or skipped. It does not raise, whatever they contain.

    `total` is their number. `file` must stay open; one of its files at a time is in memory. Reading and unpacking
    block: iterate in a thread, and once. `ids` maps the ids of notes in earlier uploads of the import to their files;
    those of this upload are added.
    """

    def __init__(
        self, file: BinaryIO, name: str, limits: Limits = limits.DEFAULT, ids: dict[str, str] | None = None
    ) -> None:
        self._files: list[File] = []
        self._problems: list[SkippedFile] = []
        self._ids = {} if ids is None else ids
        try:
            self._open(file, name, limits)
        except Unreadable as error:
            self._problems.append(SkippedFile(visible(name), str(error)))
        except Exception:
            log.exception("cannot open a file of an import")
            self._problems.append(SkippedFile(visible(name), BROKEN))
        self.total = len(self._files) + len(self._problems)

    def _open(self, file: BinaryIO, name: str, limits: Limits) -> None:
        if entry_names.ending(name) in entry_names.TEXT_ENDINGS:
            self._files.append(_TextFile(file, name))
        elif entry_names.ending(name) == entry_names.ARCHIVE_ENDING or _is_zip(file):
            files = Zip(file, limits).files()
            self._files.extend(islice(files, limits.files))
            if more := sum(1 for _ in files):
                reason = f"The archive has {limits.files + more} files; only the first {limits.files} are read."
                self._problems.append(SkippedFile(visible(name), reason))
        else:
            raise Unreadable("This is not a zip, Markdown or text file.")

    def __iter__(self) -> Iterator[ReadFile | SkippedFile]:
        yield from map(self._read, self._files)
        yield from self._problems

    def _read(self, file: File) -> ReadFile | SkippedFile:
        name = visible(file.name)
        try:
            note = parse(decode(file.read()), file_name=file.name, modified=file.modified)
            self._refuse_repeated(note, name)
        except Unreadable as error:
            return SkippedFile(name, str(error))
        except Exception:
            log.exception("cannot read a file of an import")
            return SkippedFile(name, BROKEN)
        return ReadFile(name, note, file.name)

    def _refuse_repeated(self, note: NoteFile, name: str) -> None:
        """A copied file has its original's id: importing both would overwrite one with the other."""
        if note.id is None:
            return
        if first := self._ids.get(note.id):
            raise Unreadable(f"This file has the same id as {first}: remove the id to import it as a note of its own.")
        self._ids[note.id] = name


class _TextFile:
    """An uploaded text file. Browsers do not send its date."""

    modified = None

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self.name = name

    def read(self) -> bytes:
        self._file.seek(0)
        content = self._file.read(FILE_MAX_BYTES + 1)
        if len(content) > FILE_MAX_BYTES:
            raise Unreadable(TOO_LARGE)
        return content


def _is_zip(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(4) in ZIP_SIGNATURES
