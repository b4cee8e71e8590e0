"""Fixtures: zips written and read in memory."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterable
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from notes_service.transfer.archive_reader import ReadFile, SkippedFile, Upload
from notes_service.transfer.archive_writer import zipped
from notes_service.transfer.limits import DEFAULT, Limits
from notes_service.transfer.note_file import NoteFile


@pytest.fixture(scope="session")
def zip_of() -> Callable[..., bytes]:
    def make(*entries: tuple[str | ZipInfo, bytes]) -> bytes:
        sink = io.BytesIO()
        with ZipFile(sink, "w", ZIP_DEFLATED) as archive:
            for entry, content in entries:
                archive.writestr(entry, content, ZIP_DEFLATED)
        return sink.getvalue()

    return make


@pytest.fixture(scope="session")
def read() -> Callable[..., list[ReadFile | SkippedFile]]:
    def outcomes(content: bytes, name: str = "notes.zip", limits: Limits = DEFAULT) -> list[ReadFile | SkippedFile]:
        upload = Upload(io.BytesIO(content), name, limits)
        found = list(upload)
        assert upload.total == len(found)
        return found

    return outcomes


@pytest.fixture(scope="session")
def chunks() -> Callable[[Iterable[NoteFile]], list[bytes]]:
    """The writer's chunks for these notes."""

    async def each(notes: Iterable[NoteFile]) -> AsyncIterator[NoteFile]:
        for note in notes:
            yield note

    async def collected(notes: Iterable[NoteFile]) -> list[bytes]:
        return [chunk async for chunk in zipped(each(notes))]

    return lambda notes: asyncio.run(collected(notes))
