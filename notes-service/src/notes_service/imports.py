"""Requests about imports: uploading files, starting an import, its status."""

from contracts.ids import new_id
from contracts.note_transfer import BeginImport, ImportRef, ImportStarted, ImportStatus, SendChunk
from contracts.operation import Empty
from notes_service.import_worker import ImportWorker
from notes_service.repository.imports import ImportRepository


class ImportService:
    def __init__(self, imports: ImportRepository, worker: ImportWorker) -> None:
        self.imports = imports
        self.worker = worker

    async def begin(self, request: BeginImport) -> ImportStarted:
        import_id = new_id()
        await self.imports.create(request.actor, import_id, request.files)
        return ImportStarted(import_id=import_id)

    async def store_chunk(self, request: SendChunk) -> Empty:
        await self.imports.store_chunk(
            request.actor.user_id, request.import_id, request.file, request.number, request.data
        )
        return Empty()

    async def start(self, request: ImportRef) -> Empty:
        await self.imports.queue(request.actor.user_id, request.import_id)
        self.worker.wake()
        return Empty()

    async def status(self, request: ImportRef) -> ImportStatus:
        return await self.imports.status(request.actor.user_id, request.import_id)
