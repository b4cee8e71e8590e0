"""HTTP routes of files. An upload is one request, or with the protocol tus 1.0 (https://tus.io) several: it can then be
resumed after a lost connection."""

from collections.abc import Generator
from contextlib import contextmanager
from email.utils import format_datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.exceptions import HTTPException

from contracts import files
from contracts.errors import UploadConflict, ValidationFailed
from contracts.files import File, Upload, object_key
from contracts.ids import Id
from gateway.accounts.dependencies import ProtectedRoute, User
from gateway.dependencies import Nats
from gateway.files.downloads import content_disposition, download
from gateway.files.uploads import Uploads, name_in_metadata
from gateway.problems import problems
from servicekit.object_store import ObjectStore
from servicekit.rpc import call

FILES_PATH = "/api/files"
UPLOADS_PATH = f"{FILES_PATH}/uploads/"
TUS_VERSION = "1.0.0"
BODY = {
    "requestBody": {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
}
CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"description": "The bytes.", "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}},
    206: {"description": "The bytes of the range.", "content": {"*/*": {}}},
    304: {"description": "The client has it."},
}

router = APIRouter(prefix=FILES_PATH, tags=["files"], route_class=ProtectedRoute)

Length = Annotated[int | None, Header(alias="Upload-Length", ge=1, le=2**53, description="Begins an upload of tus.")]
Metadata = Annotated[str | None, Header(alias="Upload-Metadata", max_length=8192)]
Offset = Annotated[int, Header(alias="Upload-Offset", ge=0, le=2**53)]
TusVersion = Annotated[str | None, Header(alias="Tus-Resumable", max_length=20)]


async def _store(request: Request) -> ObjectStore:
    return request.state.container.object_store


async def _uploads(nc: Nats, store: Annotated[ObjectStore, Depends(_store)], user: User) -> Uploads:
    return Uploads(nc, store, user)


Store = Annotated[ObjectStore, Depends(_store)]
UserUploads = Annotated[Uploads, Depends(_uploads)]


@router.post(
    "", status_code=201, response_model=File | Upload, responses=problems(401, 403, 409, 412, 429), openapi_extra=BODY
)
async def upload_file(
    *,
    request: Request,
    response: Response,
    uploads: UserUploads,
    name: Annotated[str, Query(max_length=4096)] = "",
    upload_length: Length = None,
    upload_metadata: Metadata = None,
    tus_resumable: TusVersion = None,
) -> Any:
    """The body is the file. The same content again is the same file. With `Upload-Length` it is an upload of tus, which
    goes on at the path in `Location`."""
    _check_version(tus_resumable)
    declared = request.headers.get("content-length")
    if upload_length is None:
        if declared is not None and not declared.strip("0"):
            raise ValidationFailed(errors=[{"field": "body", "message": "Is empty"}])
        length = int(declared) if declared else request.state.container.file_max_bytes
        with _receiving(request, uploads):
            return await uploads.receive_whole(name, length, request)
    upload = await uploads.begin(name or name_in_metadata(upload_metadata), upload_length)
    response.headers["Location"] = f"{UPLOADS_PATH}{upload.id}"
    with _receiving(request, uploads):
        upload = await uploads.receive(upload, request)
    _describe(response, upload)
    return upload


@router.get("/uploads/{id}", responses=problems(401, 404))
async def get_upload(id: Id, uploads: UserUploads, response: Response) -> Upload:  # noqa: A002
    """How far an upload is; with its file, if it is complete."""
    upload = await uploads.get(id)
    _describe(response, upload)
    return upload


@router.head("/uploads/{id}", include_in_schema=False)
async def head_upload(id: Id, uploads: UserUploads) -> Response:  # noqa: A002
    response = Response(headers={"Cache-Control": "no-store"})
    _describe(response, await uploads.get(id))
    return response


@router.patch("/uploads/{id}", status_code=204, responses=problems(401, 403, 404, 409, 412, 429), openapi_extra=BODY)
async def continue_upload(
    *,
    id: Id,  # noqa: A002
    request: Request,
    response: Response,
    uploads: UserUploads,
    upload_offset: Offset,
    tus_resumable: TusVersion = None,
) -> None:
    """The body has the bytes from `Upload-Offset`, which is where the upload is: else 409, with the right `offset`."""
    _check_version(tus_resumable)
    upload = await uploads.get(id)
    if upload.offset != upload_offset:
        raise UploadConflict(offset=upload.offset)
    if upload.file is None:
        with _receiving(request, uploads):
            upload = await uploads.receive(upload, request)
        if upload.offset == upload.length:
            await uploads.finish(upload)
    _describe(response, upload)


@router.delete("/uploads/{id}", status_code=204, responses=problems(401, 403))
async def abort_upload(id: Id, uploads: UserUploads) -> None:  # noqa: A002
    """Forgets an upload. The file of one that is complete stays."""
    await uploads.abort(id)


@router.get("/{id}", response_class=Response, responses=CONTENT | problems(401, 404, 416))
async def get_file(
    *,
    id: Id,  # noqa: A002
    request: Request,
    user: User,
    nc: Nats,
    store: Store,
    size: Annotated[
        int | None, Query(ge=1, le=16_384, description="A smaller copy of a picture, of about so many pixels.")
    ] = None,
) -> Response:
    """The file, or the range of it that `Range` names. A picture is shown by browsers, everything else is saved."""
    file = await call(nc, files.GET, files.FileRef(actor=user, id=id))
    is_picture = file.width is not None
    disposition = content_disposition(file.name, shown=is_picture)
    if size is None:
        key, tag = object_key(user.user_id, file.object_id), f'"{file.sha256}"'
        found = file.bytes, file.media_type
    else:
        preview = await call(nc, files.PREVIEW, files.GetPreview(actor=user, id=id, size=size))
        key, tag = object_key(user.user_id, preview.object_id), f'"{preview.object_id}"'
        found = preview.bytes, preview.media_type
    return await download(request, store, key, size=found[0], tag=tag, media_type=found[1], disposition=disposition)


router.add_api_route("/{id}", get_file, methods=["HEAD"], include_in_schema=False, response_class=Response)


@router.delete("/{id}", status_code=204, responses=problems(401, 403, 404))
async def delete_file(id: Id, user: User, nc: Nats) -> None:  # noqa: A002
    """For good, also where notes refer to it."""
    await call(nc, files.DELETE, files.FileRef(actor=user, id=id))


@contextmanager
def _receiving(request: Request, uploads: Uploads) -> Generator[None]:
    """Bounds how many bodies are taken in at a time. Raises `RateLimited`, `ServiceUnavailable`."""
    with request.state.container.file_uploads.admitted(uploads.user.user_id, None):
        yield


def _describe(response: Response, upload: Upload) -> None:
    response.headers["Tus-Resumable"] = TUS_VERSION
    response.headers["Upload-Offset"] = str(upload.offset)
    response.headers["Upload-Length"] = str(upload.length)
    response.headers["Upload-Expires"] = format_datetime(upload.expires_at, usegmt=True)


def _check_version(version: str | None) -> None:
    if version not in (None, TUS_VERSION):
        raise HTTPException(412, headers={"Tus-Version": TUS_VERSION})
