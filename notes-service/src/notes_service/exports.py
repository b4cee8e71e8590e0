"""Exports: all notes of a user as a zip, streamed while it is written."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from functools import partial

import structlog
from asyncpg.pool import Pool
from nats.aio.client import Client
from nats.aio.subscription import Subscription

from contracts import subjects
from contracts.errors import NotFound, RateLimited, ServiceUnavailable
from contracts.ids import new_id
from contracts.note_transfer import ExportNotes, ExportOpened
from contracts.notes import Note
from notes_service.repository import NoteRepository
from notes_service.repository.note_files import front_matter
from notes_service.transfer.archive_writer import BAD_VALUE, MissingNote, zipped
from notes_service.transfer.note_file import NoteFile
from servicekit.background import LoopHealth, attempt
from servicekit.error_logging import describe
from servicekit.rpc import offer, serve_chunks

log = structlog.stdlib.get_logger()

MAX_EXPORTS = 32
"""Concurrent exports of one replica; each needs about a megabyte of memory."""
MAX_OF_USER = 2
RETRY_AFTER_SECONDS = 10
SINGLY_READ = 50
"""Notes of a batch that are read one by one."""


class ExportService:
    """The exports of this replica. Each is read from a subject to which only this replica subscribes."""

    def __init__(self, nc: Client, pool: Pool, health: LoopHealth) -> None:
        self.nc = nc
        self.pool = pool
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

    async def _files(self, user_id: str) -> AsyncGenerator[NoteFile | MissingNote]:
        after: str | None = None
        while True:
            batch, after = await self._batch(user_id, after)
            written = await front_matter(self.pool, user_id, [note.id for note in batch])
            for note in batch:
                yield note if isinstance(note, MissingNote) else NoteFile.of(note, written.get(note.id, ""))
            if after is None:
                return

    async def _batch(self, user_id: str, after: str | None) -> tuple[Sequence[Note | MissingNote], str | None]:
        """The next notes, and the id after which others follow; None after the last.

        Where one of them cannot be read, each is read by itself, and only that one is missing.
        """
        try:
            batch = await self.notes.next_batch(user_id, after)
            return batch, batch[-1].id if batch else None
        except BAD_VALUE as error:
            log.warning("a batch of notes cannot be read", error=describe(error))
        titles = await self.notes.next_titles(user_id, after, SINGLY_READ)
        notes = [note for one in titles if (note := await self._single(user_id, MissingNote(*one)))]
        return notes, titles[-1][0] if titles else None

    async def _single(self, user_id: str, missing: MissingNote) -> Note | MissingNote | None:
        """None if the note was deleted for good in the meantime."""
        try:
            return await self.notes.note(user_id, missing.id)
        except NotFound:
            return None
        except BAD_VALUE:
            log.exception("cannot read a note for an export", note_id=missing.id)
            return missing
