"""Uploads: a body is stored in parts while it arrives, so that what has come survives a lost connection."""

import base64
import binascii
from collections.abc import Awaitable, Callable

from fastapi import Request
from nats.aio.client import Client
from starlette.requests import ClientDisconnect

from contracts import files
from contracts.actor import Actor
from contracts.errors import NotFound, ServiceUnavailable, UploadConflict, ValidationFailed
from contracts.files import PART_BYTES, File, Upload, object_key
from contracts.ids import new_id
from contracts.operation import ResponseT
from servicekit.object_store import ObjectStore
from servicekit.rpc import call

NAMES = ("filename", "name")
"""Of the file's name in `Upload-Metadata`: clients of tus use either."""


class Uploads:
    """The uploads of one user through this gateway."""

    def __init__(self, nc: Client, store: ObjectStore, user: Actor) -> None:
        self.nc = nc
        self.store = store
        self.user = user

    async def begin(self, name: str, length: int) -> Upload:
        """Raises `PayloadTooLarge`, `QuotaExceeded` and `RateLimited`."""
        return await call(self.nc, files.UPLOAD_BEGIN, files.BeginUpload(actor=self.user, name=name, length=length))

    async def receive(self, upload: Upload, request: Request) -> Upload:
        """Takes the body in, from where the upload is. If the client is lost, what has come of it is stored, and
        `ClientDisconnect` raised."""
        buffer = bytearray()
        try:
            async for chunk in request.stream():
                buffer += chunk
                while len(buffer) >= PART_BYTES:
                    upload = await self._add_part(upload, bytes(buffer[:PART_BYTES]))
                    del buffer[:PART_BYTES]
        except ClientDisconnect:
            if buffer:
                await self._add_part(upload, bytes(buffer))
            raise
        return await self._add_part(upload, bytes(buffer)) if buffer else upload

    async def finish(self, upload: Upload, *, is_whole: bool = False) -> File:
        request = files.FinishUpload(actor=self.user, id=upload.id, is_whole=is_whole)
        return await _twice(lambda: call(self.nc, files.UPLOAD_FINISH, request))

    async def receive_whole(self, name: str, length: int, request: Request) -> File:
        """The body of one request as a file. `length`: of the body, or the most that it may have. Nothing is left of it
        if it fails."""
        upload = await self.begin(name, length)
        try:
            upload = await self.receive(upload, request)
            return await self.finish(upload, is_whole=True)
        except BaseException:
            await self.abort(upload.id)
            raise

    async def get(self, upload_id: str) -> Upload:
        """With the file, if all bytes are there. Raises `NotFound`."""
        upload = await call(self.nc, files.UPLOAD_GET, files.UploadRef(actor=self.user, id=upload_id))
        if upload.file is None and upload.offset == upload.length:  # whoever received the last part may be gone
            return upload.model_copy(update={"file": await self.finish(upload)})
        return upload

    async def abort(self, upload_id: str) -> None:
        await call(self.nc, files.UPLOAD_ABORT, files.UploadRef(actor=self.user, id=upload_id))

    async def _add_part(self, upload: Upload, data: bytes) -> Upload:
        object_id = new_id()
        key = object_key(self.user.user_id, object_id)
        await self.store.put(key, data)
        part = files.AddPart(actor=self.user, id=upload.id, offset=upload.offset, object_id=object_id, bytes=len(data))
        try:
            return await _twice(lambda: call(self.nc, files.UPLOAD_PART, part))
        except (NotFound, UploadConflict, ValidationFailed):
            await self.store.delete(key)
            raise


async def _twice(send: Callable[[], Awaitable[ResponseT]]) -> ResponseT:
    """Tries twice, so that a short outage does not fail a long upload. What is sent changes nothing when repeated."""
    try:
        return await send()
    except ServiceUnavailable:
        return await send()


def name_in_metadata(header: str | None) -> str:
    """The file's name in the header `Upload-Metadata` of tus: keys with values in Base64. Raises `ValidationFailed`."""
    for pair in (header or "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key in NAMES:
            try:
                return base64.b64decode(value, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                raise ValidationFailed(errors=[{"field": "Upload-Metadata", "message": "Not readable"}]) from error
    return ""
