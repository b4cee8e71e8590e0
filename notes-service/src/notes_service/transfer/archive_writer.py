"""Notes as a zip of Markdown files, in chunks, while the notes are still being read."""

import asyncio
import stat
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from datetime import UTC, datetime
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from notes_service.transfer.file_names import FileNames
from notes_service.transfer.markdown_file import render
from notes_service.transfer.note_file import NoteFile
from notes_service.transfer.zip_dates import stamp

CHUNK_BYTES = 64 * 1024
BATCH_CHARACTERS = 64 * 1024
BATCH_NOTES = 100
UNIX = 3


async def zipped(notes: AsyncIterable[NoteFile]) -> AsyncGenerator[bytes]:
    """The zip in chunks of at most `CHUNK_BYTES`; Zip64 if the number or the size of the files requires it.

    Holds a batch of notes in memory, and the zip's directory, a few hundred bytes per note. Compresses in a thread.
    """
    archive = _Archive()
    batch: list[NoteFile] = []
    characters = 0
    async for note in notes:
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

    def add(self, notes: Iterable[NoteFile]) -> list[bytes]:
        for note in notes:
            self._zip.writestr(self._entry(note), render(note).encode())
        return self._sink.take()

    def finish(self, notes: Iterable[NoteFile]) -> list[bytes]:
        full = self.add(notes)
        self._zip.close()
        return full + self._sink.take(rest=True)

    def _entry(self, note: NoteFile) -> ZipInfo:
        entry = ZipInfo(self._names.name(note.title))
        entry.compress_type = ZIP_DEFLATED
        entry.create_system = UNIX
        entry.external_attr = (stat.S_IFREG | 0o644) << 16
        stamp(entry, note.updated or datetime.now(UTC))
        return entry
