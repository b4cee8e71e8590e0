"""Imports taken in and asked after; exports made while they are read."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import structlog
from asyncpg.pool import Pool
from nats.aio.client import Client
from nats.aio.subscription import Subscription

from contracts import subjects
from contracts.errors import ServiceUnavailable
from contracts.ids import new_id
from contracts.note_transfer import (
    BeginImport,
    ExportNotes,
    ExportOpened,
    ImportRef,
    ImportStarted,
    ImportStatus,
    SendChunk,
)
from contracts.operation import Empty
from notes_service.import_worker import ImportWorker
from notes_service.repository import Reading
from notes_service.repository.imports import Imports
from notes_service.transfer.archive_writer import zipped
from notes_service.transfer.note_file import NoteFile
from servicekit.rpc import offer, serve_chunks

log = structlog.stdlib.get_logger()

MOST_EXPORTS = 32
"""Of one replica at a time; each holds about a megabyte."""


class ImportDesk:
    def __init__(self, imports: Imports, worker: ImportWorker) -> None:
        self.imports = imports
        self.worker = worker

    async def begin(self, asked: BeginImport) -> ImportStarted:
        import_id = new_id()
        await self.imports.begin(asked.actor, import_id, asked.files)
        return ImportStarted(import_id=import_id)

    async def send(self, asked: SendChunk) -> Empty:
        await self.imports.keep(asked.actor.user_id, asked.import_id, asked.file, asked.number, asked.data)
        return Empty()

    async def start(self, asked: ImportRef) -> Empty:
        await self.imports.queue(asked.actor.user_id, asked.import_id)
        self.worker.wake()
        return Empty()

    async def status(self, asked: ImportRef) -> ImportStatus:
        return await self.imports.status(asked.actor.user_id, asked.import_id)


class Exports:
    """The exports that this replica makes; each is read where only this replica answers."""

    def __init__(self, nc: Client, pool: Pool) -> None:
        self.nc = nc
        self.reading = Reading(pool)
        self.tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    async def open(self, asked: ExportNotes) -> ExportOpened:
        if len(self.tasks) >= MOST_EXPORTS:
            raise ServiceUnavailable("Too many exports are being made: try again in a moment.")
        export_id = new_id()
        readable = await offer(self.nc, subjects.note_export(export_id))
        task = asyncio.create_task(self._serve(readable, asked.actor.user_id))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return ExportOpened(export_id=export_id)

    async def _serve(self, readable: Subscription, user_id: str) -> None:
        try:
            await serve_chunks(readable, zipped(self._notes(user_id)))
        except Exception as error:  # its reader finds nobody any more, and says so
            log.warning("an export was given up", error=repr(error))

    async def _notes(self, user_id: str) -> AsyncGenerator[NoteFile]:
        after: str | None = None
        while page := await self.reading.whole(user_id, after):
            for note in page:
                yield NoteFile.of(note)
            after = page[-1].id
