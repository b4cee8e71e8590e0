"""Uploads and downloads as the gateway performs them, for the tests."""

import asyncio
import io
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

from contracts import note_transfer, subjects
from servicekit import rpc
from standalone.testing import SLOW_SECONDS

CHUNK_BYTES = 1000


def zip_of(files: dict[str, str | bytes]) -> bytes:
    sink = io.BytesIO()
    with ZipFile(sink, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return sink.getvalue()


async def upload(person: Any, files: dict[str, bytes], chunk_bytes: int = CHUNK_BYTES) -> str:
    """Uploads all chunks, without starting the import."""
    begun = await person.request(note_transfer.IMPORT_BEGIN, files=list(files))
    for file, content in enumerate(files.values()):
        for number, at in enumerate(range(0, len(content), chunk_bytes)):
            chunk = {"file": file, "number": number, "data": content[at : at + chunk_bytes]}
            for _ in range(2):  # the same again changes nothing
                await person.request(note_transfer.IMPORT_CHUNK, import_id=begun.import_id, **chunk)
    return begun.import_id


async def finished(person: Any, import_id: str) -> note_transfer.ImportStatus:
    async with asyncio.timeout(SLOW_SECONDS):
        while True:
            status = await person.request(note_transfer.IMPORT_GET, import_id=import_id)
            if status.status in ("completed", "failed"):
                return status
            await asyncio.sleep(0.02)


async def imported(person: Any, files: dict[str, bytes]) -> note_transfer.ImportStatus:
    import_id = await upload(person, files, 100_000)
    await person.request(note_transfer.IMPORT_START, import_id=import_id)
    return await finished(person, import_id)


def counts(status: note_transfer.ImportStatus) -> tuple[int, int, int, int]:
    """The numbers of files that were created, updated, unchanged, and not imported."""
    assert status.status == "completed"
    assert status.processed == status.total
    return status.created, status.updated, status.unchanged, len(status.errors)


async def exported(person: Any) -> bytes:
    opened = await person.request(note_transfer.EXPORT)
    return b"".join([chunk async for chunk in rpc.read_chunks(person.nc, subjects.note_export(opened.export_id))])
