"""HTTP routes of import and export: uploads are sent on in chunks, an export is passed on while it is made."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request, Response
from nats.aio.client import Client
from starlette.datastructures import FormData, UploadFile
from starlette.responses import StreamingResponse

from contracts import note_transfer, subjects
from contracts.actor import Actor
from contracts.errors import ServiceUnavailable, ValidationFailed
from contracts.ids import Id
from contracts.note_transfer import CHUNK_MAX_BYTES, FILE_NAME_MAX_CHARACTERS
from gateway.accounts.dependencies import ProtectedRoute, User
from gateway.dependencies import Nats
from gateway.direct_connection import connection_of
from gateway.problems import problems
from gateway.upload_spool import UploadSpool
from servicekit.rpc import call, read_chunks

log = structlog.stdlib.get_logger()

router = APIRouter(route_class=ProtectedRoute)

IMPORT_PATH = "/api/notes/import"
ZIP = {
    200: {
        "description": "A zip of Markdown files with YAML front matter.",
        "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
    }
}
UPLOAD = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "file": {
                        "type": "array",
                        "items": {"type": "string", "contentMediaType": "application/octet-stream"},
                        "minItems": 1,
                        "maxItems": note_transfer.FILES_MAX,
                    }
                },
                "required": ["file"],
            }
        }
    },
}
NO_NAME = "Untitled.md"
MAX_FIELDS, MAX_FIELD_BYTES = 16, 64 * 1024
"""Of an upload's fields that are no files: nobody needs them, and they are kept in memory."""


async def _uploads(request: Request) -> UploadSpool:
    return request.state.container.uploads


Uploads = Annotated[UploadSpool, Depends(_uploads)]


class ZipResponse(Response):
    """The response class of the export in the OpenAPI document."""

    media_type = "application/zip"


@router.get("/export", response_class=ZipResponse, responses=ZIP | problems(401))
async def export_notes(request: Request, user: User, nc: Nats) -> Response:
    """All notes outside the trash. Importing the file restores them as they are."""
    opened = await call(nc, note_transfer.EXPORT, note_transfer.ExportNotes(actor=user))
    chunks = read_chunks(nc, subjects.note_export(opened.export_id))
    first = await anext(chunks)  # an error here can still become a response with a status
    name = f"inkstream-notes-{datetime.now(UTC):%Y-%m-%d}.zip"
    return StreamingResponse(
        _stream(first, chunks, connection_of(request.scope).abort),
        media_type=ZipResponse.media_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@router.post("/import", status_code=202, responses=problems(401, 403, 429), openapi_extra={"requestBody": UPLOAD})
async def import_notes(request: Request, user: User, nc: Nats, uploads: Uploads) -> note_transfer.ImportStarted:
    """Zips, Markdown and text files. They are imported in the background; importing the same again changes nothing."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        raise ValidationFailed(errors=[{"field": "file", "message": "Must be uploaded as multipart/form-data"}])
    length = request.headers.get("content-length")
    with uploads.admitted(user.user_id, int(length.lstrip("0") or 0) if length else None):
        # here and not as a parameter: FastAPI would read the body before it knows the user
        async with request.form(
            max_files=note_transfer.FILES_MAX, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES
        ) as form:
            return await _import(nc, user, _files(form))


def _files(form: FormData) -> list[UploadFile]:
    files = [value for value in form.getlist("file") if isinstance(value, UploadFile)]
    if not files:
        raise ValidationFailed(errors=[{"field": "file", "message": "Field required"}])
    return files


async def _import(nc: Client, user: Actor, files: list[UploadFile]) -> note_transfer.ImportStarted:
    names = [_name(upload) for upload in files]
    begun = await call(nc, note_transfer.IMPORT_BEGIN, note_transfer.BeginImport(actor=user, files=names))
    for number, upload in enumerate(files):
        await _send_file(nc, user, begun.import_id, number, upload)
    await call(nc, note_transfer.IMPORT_START, note_transfer.ImportRef(actor=user, import_id=begun.import_id))
    return begun


@router.get("/imports/{id}", responses=problems(401, 404))
async def get_import(id: Id, user: User, nc: Nats) -> note_transfer.ImportStatus:  # noqa: A002
    """Progress of an import, and the files that were not imported with the reason."""
    return await call(nc, note_transfer.IMPORT_GET, note_transfer.ImportRef(actor=user, import_id=id))


async def _send_file(nc: Client, user: Actor, import_id: str, number: int, upload: UploadFile) -> None:
    part = 0
    while data := await upload.read(CHUNK_MAX_BYTES):
        chunk = note_transfer.SendChunk(actor=user, import_id=import_id, file=number, number=part, data=data)
        await _send_chunk(nc, chunk)
        part += 1


async def _send_chunk(nc: Client, chunk: note_transfer.SendChunk) -> None:
    """Tries twice, so that a short outage does not fail a long upload. Chunks are numbered: a repeat is safe."""
    try:
        await call(nc, note_transfer.IMPORT_CHUNK, chunk)
    except ServiceUnavailable:
        await call(nc, note_transfer.IMPORT_CHUNK, chunk)


async def _stream(first: bytes, rest: AsyncGenerator[bytes], abort: Callable[[], None]) -> AsyncGenerator[bytes]:
    """Aborts the connection if the rest fails, so that a truncated file does not look complete to the client."""
    yield first
    try:
        async for chunk in rest:
            yield chunk
    except ServiceUnavailable:
        log.warning("export aborted")
        abort()


def _name(upload: UploadFile) -> str:
    """The client's name of the file, from its end, because the extension says what the file is."""
    name = (upload.filename or "").replace("\x00", "").encode(errors="replace").decode()
    return name[-FILE_NAME_MAX_CHARACTERS:] or NO_NAME
