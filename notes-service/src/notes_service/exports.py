"""Exports: all notes of a user as a zip, streamed while it is written."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from asyncpg.pool import Pool
from nats.aio.client import Client
from nats.aio.subscription import Subscription

from contracts import subjects
from contracts.errors import RateLimited, ServiceUnavailable
from contracts.ids import new_id
from contracts.note_transfer import ExportNotes, ExportOpened
from notes_service.repository import NoteRepository
from notes_service.transfer.archive_writer import zipped
from notes_service.transfer.note_file import NoteFile
from servicekit.background import LoopHealth, attempt
from servicekit.rpc import offer, serve_chunks

MAX_EXPORTS = 32
"""Concurrent exports of one replica; each needs about a megabyte of memory."""
MAX_OF_USER = 2
RETRY_AFTER_SECONDS = 10


class ExportService:
    """The exports of this replica. Each is read from a subject to which only this replica subscribes."""

    def __init__(self, nc: Client, pool: Pool, health: LoopHealth) -> None:
        self.nc = nc
        self.notes = NoteRepository(pool)
        self.health = health
        self.users: dict[str, str] = {}
        """By the id of each export that is being made."""
        self.tasks: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Cancels the exports at the end of the block; their readers then get an aborted download."""
        try:
            yield
        finally:
            for task in self.tasks:
                task.cancel()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    async def open(self, request: ExportNotes) -> ExportOpened:
        """Raises `RateLimited` while `MAX_OF_USER` of the user are running on this replica, `ServiceUnavailable` while
        `MAX_EXPORTS` are."""
        user_id, export_id = request.actor.user_id, new_id()
        if list(self.users.values()).count(user_id) >= MAX_OF_USER:
            raise RateLimited("Wait until your other exports are finished.", retry_after=RETRY_AFTER_SECONDS)
        if len(self.users) >= MAX_EXPORTS:
            raise ServiceUnavailable("Too many exports are being made: try again in a moment.")
        self.users[export_id] = user_id
        try:
            subscription = await offer(self.nc, subjects.note_export(export_id))
        except BaseException:
            del self.users[export_id]
            raise
        task = asyncio.create_task(self._serve(subscription, user_id))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        task.add_done_callback(lambda _: self.users.pop(export_id))
        return ExportOpened(export_id=export_id)

    async def _serve(self, subscription: Subscription, user_id: str) -> None:
        """If it fails, its reader gets no answer any more and aborts the download."""
        await attempt("export", partial(serve_chunks, subscription, zipped(self._files(user_id))), self.health)

    async def _files(self, user_id: str) -> AsyncGenerator[NoteFile]:
        after: str | None = None
        while batch := await self.notes.next_batch(user_id, after):
            for note in batch:
                yield NoteFile.of(note)
            after = batch[-1].id
