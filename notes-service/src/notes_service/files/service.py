"""Requests about files. Their bytes are in the object store: the gateway writes and reads them there."""

import hashlib
from collections.abc import AsyncGenerator

import structlog

from contracts import files
from contracts.errors import NotFound, PayloadTooLarge, ValidationFailed
from contracts.files import File, object_key
from contracts.ids import new_id
from contracts.operation import Empty
from notes_service.files.media_types import HEAD_BYTES, OTHER, SHOWN_AS_PICTURES, media_type_of
from notes_service.files.pictures import PictureReader
from notes_service.repository.files import FileRepository, NewFile, Part, Received
from servicekit.object_store import ObjectStore

log = structlog.stdlib.get_logger()


class FileService:
    def __init__(self, repository: FileRepository, store: ObjectStore, max_bytes: int) -> None:
        self.repository = repository
        self.store = store
        self.max_bytes = max_bytes
        self.pictures = PictureReader()

    async def begin(self, request: files.BeginUpload) -> files.Upload:
        self.store.check()
        if request.length > self.max_bytes:
            raise PayloadTooLarge(f"A file may have {self.max_bytes / 1024**2:,.0f} MB at most.")
        return await self.repository.begin(request.actor.user_id, new_id(), request.name, request.length)

    async def upload(self, request: files.UploadRef) -> files.Upload:
        return await self.repository.upload(request.actor.user_id, request.id)

    async def add_part(self, request: files.AddPart) -> files.Upload:
        part = Part(request.object_id, request.bytes)
        return await self.repository.add_part(request.actor.user_id, request.id, request.offset, part)

    async def finish(self, request: files.FinishUpload) -> File:
        """May be repeated, also at the same time and after a crash at any place."""
        user_id = request.actor.user_id
        received = await self.repository.received(user_id, request.id)
        if received.file is not None:
            return received.file
        if received.offset == 0 or (received.offset < received.length and not request.is_whole):
            message = "Is empty" if received.offset == 0 else "Is not complete"
            raise ValidationFailed(errors=[{"field": "body", "message": message}])
        new = await self._file_of(user_id, received)
        return await self.repository.finish(user_id, request.id, new_id(), new)

    async def abort(self, request: files.UploadRef) -> Empty:
        await self.repository.abort(request.actor.user_id, request.id)
        return Empty()

    async def get(self, request: files.FileRef) -> files.StoredFile:
        return await self.repository.file(request.actor.user_id, request.id)

    async def delete(self, request: files.FileRef) -> Empty:
        await self.repository.delete(request.actor.user_id, request.id)
        return Empty()

    async def usage(self, request: files.FileRequest) -> files.FilesUsage:
        return await self.repository.usage(request.actor.user_id)

    async def preview(self, request: files.GetPreview) -> files.StoredObject:
        """A picture's smaller copy, made when it is first wanted. Raises `NotFound` for any other file."""
        user_id = request.actor.user_id
        size = next((size for size in files.PREVIEW_SIZES if size >= request.size), files.PREVIEW_SIZES[-1])
        if (made := await self.repository.preview(user_id, request.id, size)) is not None:
            return made
        file = await self.repository.file(user_id, request.id)
        preview = await self._make_preview(user_id, file, size) if file.width is not None else None
        await self.repository.add_preview(user_id, request.id, size, preview)
        # of several that were made at the same time, the first one stays
        if (made := await self.repository.preview(user_id, request.id, size)) is None:
            raise NotFound("There is no such file.")
        return made

    async def _make_preview(self, user_id: str, file: files.StoredFile, size: int) -> files.StoredObject | None:
        data = await self.store.read(object_key(user_id, file.object_id), 0, file.bytes)
        picture = await self.pictures.read(user_id, data, size)
        if picture is None:
            return None
        preview = files.StoredObject(object_id=new_id(), media_type="image/webp", bytes=len(picture.copy))
        await self.store.put(object_key(user_id, preview.object_id), picture.copy)
        return preview

    async def _file_of(self, user_id: str, received: Received) -> NewFile:
        """What is known of the bytes. They are one object afterwards."""
        digest, head = hashlib.sha256(), bytearray()

        async def all_parts() -> AsyncGenerator[bytes]:
            for part in received.parts:
                async for chunk in self.store.stream(object_key(user_id, part.object_id), 0, part.bytes):
                    digest.update(chunk)
                    head.extend(chunk[: HEAD_BYTES - len(head)])
                    yield chunk

        if len(received.parts) == 1:
            object_id = received.parts[0].object_id
            async for _ in all_parts():
                pass
        else:
            object_id = new_id()
            await self.store.put_stream(object_key(user_id, object_id), all_parts())
        media_type, width, height = media_type_of(bytes(head)), None, None
        if media_type in SHOWN_AS_PICTURES:
            data = await self.store.read(object_key(user_id, object_id), 0, received.offset)
            picture = await self.pictures.read(user_id, data)
            media_type = picture.media_type if picture else OTHER
            width, height = (picture.width, picture.height) if picture else (None, None)
        return NewFile(digest.digest(), object_id, media_type, received.offset, width, height)
