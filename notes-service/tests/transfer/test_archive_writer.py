"""The zip as other programs read it, and the resources that writing it needs."""

import asyncio
import io
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from zipfile import ZipFile

import pytest

from notes_service.transfer.archive_reader import ReadFile, Upload
from notes_service.transfer.archive_writer import CHUNK_BYTES, MISSING_NAME, zipped
from notes_service.transfer.limits import Limits
from notes_service.transfer.note_file import NoteFile
from notes_service.transfer.zip_dates import modified

MORE_THAN_ZIP_COUNTS = 65_600
INCOMPRESSIBLE = Random(1).randbytes(96_000).hex()


def test_no_notes_make_an_empty_zip(chunks, read) -> None:
    content = b"".join(chunks([]))
    assert ZipFile(io.BytesIO(content)).namelist() == []
    assert read(content) == []


@pytest.mark.parametrize(
    "updated",
    [
        datetime(2026, 11, 20, 8, 1, 3, tzinfo=UTC),
        datetime(2050, 1, 1, 0, 0, 2, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
)
def test_an_entry_has_the_date_of_its_note(updated: datetime, chunks) -> None:
    archive = ZipFile(io.BytesIO(b"".join(chunks([NoteFile(title="A", updated=updated)]))))
    entry = archive.getinfo("A.md")
    assert archive.testzip() is None
    assert entry.date_time[:5] == updated.timetuple()[:5]
    assert modified(entry) == updated


@pytest.mark.parametrize("year", [1000, 1960, 9998])
def test_a_date_that_a_zip_cannot_hold_is_left_to_the_front_matter(year: int, chunks, read) -> None:
    note = NoteFile(title="A", created=datetime(year, 6, 7, tzinfo=UTC), updated=datetime(year, 6, 8, tzinfo=UTC))
    assert read(b"".join(chunks([note]))) == [ReadFile("A.md", note)]


def test_chunks_are_bounded(chunks) -> None:
    sizes = [len(chunk) for chunk in chunks(NoteFile(title=str(i), body=INCOMPRESSIBLE) for i in range(20))]
    assert len(sizes) > 20
    assert set(sizes[:-1]) == {CHUNK_BYTES}


def test_more_notes_than_an_old_zip_can_count(chunks) -> None:
    content = b"".join(chunks(NoteFile(title=f"n{i}") for i in range(MORE_THAN_ZIP_COUNTS)))
    archive = ZipFile(io.BytesIO(content))
    assert len(archive.namelist()) == MORE_THAN_ZIP_COUNTS
    assert archive.read(f"n{MORE_THAN_ZIP_COUNTS - 1}.md").startswith(b"---\n")
    upload = Upload(io.BytesIO(content), "notes.zip", Limits(files=MORE_THAN_ZIP_COUNTS))
    assert upload.total == MORE_THAN_ZIP_COUNTS


def test_the_first_chunk_comes_before_the_last_note_is_asked_for() -> None:
    produced = 0

    async def notes() -> AsyncIterator[NoteFile]:
        nonlocal produced
        while produced < 1000:
            produced += 1
            yield NoteFile(title="A", body=INCOMPRESSIBLE)

    async def first() -> bytes:
        stream = zipped(notes())
        try:
            return await anext(stream)
        finally:
            await stream.aclose()

    assert asyncio.run(first()).startswith(b"PK\x03\x04")
    assert produced < 10


def test_memory_does_not_grow_with_the_text() -> None:
    async def notes() -> AsyncIterator[NoteFile]:
        for i in range(300):
            yield NoteFile(title=str(i), body=INCOMPRESSIBLE)

    async def total() -> int:
        return sum([len(chunk) async for chunk in zipped(notes())])

    tracemalloc.start()
    try:
        size = asyncio.run(total())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 25_000_000
    assert peak < 5_000_000


def test_a_note_that_cannot_be_written_is_named_and_the_others_are_there(chunks) -> None:
    notes = [
        NoteFile(title="A", body="a"),
        NoteFile.model_construct(title="Half", body="\ud800"),
        NoteFile(title="B", body="b"),
    ]
    archive = ZipFile(io.BytesIO(b"".join(chunks(notes))))
    assert set(archive.namelist()) == {"A.md", "B.md", MISSING_NAME}
    assert "  Half\n" in archive.read(MISSING_NAME).decode()
