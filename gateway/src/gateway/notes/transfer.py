"""Notes in and out as files: uploads handed on in chunks, an export passed through as it is made."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, File, Request, Response, UploadFile
from nats.aio.client import Client
from starlette.responses import StreamingResponse

from contracts import note_transfer, subjects
from contracts.actor import Actor
from contracts.errors import ServiceUnavailable
from contracts.ids import Id
from contracts.note_transfer import CHUNK_MAX_BYTES, FILE_NAME_MAX_CHARACTERS
from gateway.dependencies import Services, User
from gateway.problems import problems
from servicekit.rpc import call, read_chunks

log = structlog.stdlib.get_logger()

router = APIRouter()

IMPORT_PATH = "/api/notes/import"
ZIP = {
    200: {
        "description": "A zip of Markdown files with YAML front matter.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}
NO_NAME = "Untitled.md"


class ZipResponse(Response):
    """For the OpenAPI document."""

    media_type = "application/zip"


@router.get("/export", response_class=ZipResponse, responses=ZIP | problems(401))
async def export_notes(request: Request, user: User, to: Services) -> Response:
    """All notes outside the trash. Importing the file brings them back as they are."""
    opened = await call(to.nc, note_transfer.EXPORT, note_transfer.ExportNotes(actor=user))
    pieces = read_chunks(to.nc, subjects.note_export(opened.export_id))
    first = await anext(pieces)  # what fails here is still an answer with a code
    name = f"inkstream-notes-{datetime.now(UTC):%Y-%m-%d}.zip"
    return StreamingResponse(
        _after(first, pieces, request.scope["extensions"]["inkstream.abort"]),
        media_type=ZipResponse.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post("/import", status_code=202, responses=problems(401, 403, 429))
async def import_notes(
    user: User,
    to: Services,
    file: Annotated[list[UploadFile], File(min_length=1, max_length=note_transfer.FILES_MAX)],
) -> note_transfer.ImportStarted:
    """Zips, Markdown and text files. The work goes on in the background; importing the same again changes nothing."""
    names = [_name(upload) for upload in file]
    begun = await call(to.nc, note_transfer.IMPORT_BEGIN, note_transfer.BeginImport(actor=user, files=names))
    for number, upload in enumerate(file):
        await _send(to.nc, user, begun.import_id, number, upload)
    await call(to.nc, note_transfer.IMPORT_START, note_transfer.ImportRef(actor=user, import_id=begun.import_id))
    return begun


@router.get("/imports/{id}", responses=problems(401, 404))
async def get_import(id: Id, user: User, to: Services) -> note_transfer.ImportStatus:  # noqa: A002
    """How far an import is, and what was not taken and why."""
    return await call(to.nc, note_transfer.IMPORT_GET, note_transfer.ImportRef(actor=user, import_id=id))


async def _send(nc: Client, user: Actor, import_id: str, number: int, upload: UploadFile) -> None:
    part = 0
    while data := await upload.read(CHUNK_MAX_BYTES):
        piece = note_transfer.SendChunk(actor=user, import_id=import_id, file=number, number=part, data=data)
        await _patiently(nc, piece)
        part += 1


async def _patiently(nc: Client, piece: note_transfer.SendChunk) -> None:
    """A chunk may be sent again: a long upload is not lost for a moment's outage."""
    try:
        await call(nc, note_transfer.IMPORT_CHUNK, piece)
    except ServiceUnavailable:
        await call(nc, note_transfer.IMPORT_CHUNK, piece)


async def _after(first: bytes, rest: AsyncGenerator[bytes], abort: Callable[[], None]) -> AsyncGenerator[bytes]:
    """Cuts the connection where the rest does not come: half a file must not look like a whole one."""
    yield first
    try:
        async for piece in rest:
            yield piece
    except ServiceUnavailable:
        log.warning("an export was cut")
        abort()


def _name(upload: UploadFile) -> str:
    """As the client calls the file, whose end says what it is."""
    name = (upload.filename or "").replace("\x00", "").encode(errors="replace").decode()
    return name[-FILE_NAME_MAX_CHARACTERS:] or NO_NAME
