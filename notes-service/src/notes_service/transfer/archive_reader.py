"""An uploaded file, zip or text, as the notes in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import BinaryIO, Protocol

from notes_service.transfer import entry_names, limits
from notes_service.transfer.encoding import decode
from notes_service.transfer.file_names import visible
from notes_service.transfer.limits import FILE_MAX_BYTES, TOO_LARGE, Limits
from notes_service.transfer.markdown_file import parse
from notes_service.transfer.note_file import NoteFile, Unreadable
from notes_service.transfer.zip_entries import Zip

ZIP_BEGINNINGS = (b"PK\x03\x04", b"PK\x05\x06")
"""Of a zip with files, and of an empty one."""


@dataclass(frozen=True, slots=True)
class Found:
    """`name` is the file's path in the archive, or the uploaded file's own name."""

    name: str
    note: NoteFile


@dataclass(frozen=True, slots=True)
class Skipped:
    """`reason` is a sentence for the person whose file it is."""

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
    """The notes in one uploaded file. Whatever the file holds, it never raises: what is no note is `Skipped`.

    `total` is the number of outcomes, for telling progress. `file` must stay open; one file at a time is in memory.
    Reading and unpacking block: take the outcomes in a thread, once. `ids`: which file the notes were in that uploads
    before this one had; gets those of this one.
    """

    def __init__(
        self, file: BinaryIO, name: str, limits: Limits = limits.DEFAULT, ids: dict[str, str] | None = None
    ) -> None:
        self._files: list[File] = []
        self._problems: list[Skipped] = []
        self._ids = {} if ids is None else ids
        try:
            self._open(file, name, limits)
        except Unreadable as error:
            self._problems.append(Skipped(visible(name), str(error)))
        self.total = len(self._files) + len(self._problems)

    def _open(self, file: BinaryIO, name: str, limits: Limits) -> None:
        if entry_names.ending(name) in entry_names.TEXT_ENDINGS:
            self._files.append(_Single(file, name))
        elif entry_names.ending(name) == entry_names.ARCHIVE_ENDING or _begins_as_zip(file):
            files = Zip(file, limits).files()
            self._files.extend(islice(files, limits.files))
            if more := sum(1 for _ in files):
                reason = f"The archive has {limits.files + more} files; only the first {limits.files} are read."
                self._problems.append(Skipped(visible(name), reason))
        else:
            raise Unreadable("This is not a zip, Markdown or text file.")

    def __iter__(self) -> Iterator[Found | Skipped]:
        yield from map(self._outcome, self._files)
        yield from self._problems

    def _outcome(self, file: File) -> Found | Skipped:
        name = visible(file.name)
        try:
            note = parse(decode(file.read()), file_name=file.name, modified=file.modified)
            self._refuse_repeated(note, name)
        except Unreadable as error:
            return Skipped(name, str(error))
        return Found(name, note)

    def _refuse_repeated(self, note: NoteFile, name: str) -> None:
        """A copied file has its original's id: taking both would write one over the other."""
        if note.id is None:
            return
        if first := self._ids.get(note.id):
            raise Unreadable(f"This file has the same id as {first}: remove the id to import it as a note of its own.")
        self._ids[note.id] = name


class _Single:
    """An uploaded text file. A browser does not tell its date."""

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


def _begins_as_zip(file: BinaryIO) -> bool:
    file.seek(0)
    return file.read(4) in ZIP_BEGINNINGS
