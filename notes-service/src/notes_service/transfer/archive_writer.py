"""Notes as a zip of Markdown files, in chunks, while the notes are still being read."""

import asyncio
import stat
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import structlog

from notes_service.transfer.file_names import FileNames
from notes_service.transfer.markdown_file import render
from notes_service.transfer.note_file import NoteFile
from notes_service.transfer.zip_dates import stamp

log = structlog.stdlib.get_logger()

CHUNK_BYTES = 64 * 1024
BATCH_CHARACTERS = 64 * 1024
BATCH_NOTES = 100
UNIX = 3
BAD_VALUE = (ValueError, OverflowError)
"""What a stored value raises that no program can hold or write; anything else is a bug or an outage."""
MISSING_NAME = "Notes that are missing.log"
"""The file that names the notes which could not be exported. Its ending is not one that an import takes for a note."""
MISSING = (
    "These notes could not be exported because of an error in the server, which has logged it. All others are here.\n"
)


@dataclass(frozen=True, slots=True)
class MissingNote:
    """A note that could not be read."""

    id: str
    title: str


async def zipped(notes: AsyncIterable[NoteFile | MissingNote]) -> AsyncGenerator[bytes]:
    """The zip in chunks of at most `CHUNK_BYTES`; Zip64 if the number or the size of the files requires it.

    A note that is missing, or that cannot be written, is named in the file `MISSING_NAME`.

    Holds a batch of notes in memory, and the zip's directory, a few hundred bytes per note. Compresses in a thread.
    """
    archive = _Archive()
    batch: list[NoteFile] = []
    characters = 0
    async for note in notes:
        if isinstance(note, MissingNote):
            archive.missing.append(note)
            continue
        batch.append(note)
        characters += len(note.body)
        if characters >= BATCH_CHARACTERS or len(batch) >= BATCH_NOTES:
            for chunk in await asyncio.to_thread(archive.add, batch):
                yield chunk
            batch, characters = [], 0
    for chunk in await asyncio.to_thread(archive.finish, batch):
        yield chunk


class _Sink:
    """The file to which `ZipFile` writes: not seekable, and emptied as it fills."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, data: bytes) -> int:
        self._bytes += data
        return len(data)

    def flush(self) -> None:
        """Nothing to do: writes are not buffered elsewhere."""

    def close(self) -> None:
        """Nothing to do: no file is open."""

    def take(self, *, rest: bool = False) -> list[bytes]:
        """The full chunks so far, and with `rest` also the last, partial one."""
        end = len(self._bytes) if rest else len(self._bytes) // CHUNK_BYTES * CHUNK_BYTES
        chunks = [bytes(self._bytes[at : min(at + CHUNK_BYTES, end)]) for at in range(0, end, CHUNK_BYTES)]
        del self._bytes[:end]
        return chunks


class _Archive:
    def __init__(self) -> None:
        self._sink = _Sink()
        self._zip = ZipFile(self._sink, "w", ZIP_DEFLATED)
        self._names = FileNames()
        self.missing: list[MissingNote] = []

    def add(self, notes: Iterable[NoteFile]) -> list[bytes]:
        for note in notes:
            try:
                content = render(note).encode()
                entry = _entry(self._names.name(note.title), note.updated)
            except BAD_VALUE:
                log.exception("cannot write a note of an export", note_id=note.id)
                self.missing.append(MissingNote(note.id or "", note.title))
            else:
                self._zip.writestr(entry, content)
        return self._sink.take()

    def finish(self, notes: Iterable[NoteFile]) -> list[bytes]:
        full = self.add(notes)
        if self.missing:
            lines = (f"{note.id}  {' '.join(note.title.split())}\n" for note in self.missing)
            self._zip.writestr(_entry(MISSING_NAME), "".join((MISSING, "\n", *lines)).encode(errors="replace"))
        self._zip.close()
        return full + self._sink.take(rest=True)


def _entry(name: str, modified: datetime | None = None) -> ZipInfo:
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = UNIX
    entry.external_attr = (stat.S_IFREG | 0o644) << 16
    stamp(entry, modified or datetime.now(UTC))
    return entry
