"""Carries imports out in the background. Any replica may; one worker at a time owns an import.

A worker that dies is replaced when its lease ends, and nothing is lost or done twice: see `repository.imports`. The
next worker reads the files again from the first, in the same order, and skips as many as were done.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from typing import BinaryIO
from uuid import UUID, uuid5

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from contracts import subjects
from contracts.errors import NotFound, QuotaExceeded
from contracts.notes import Note, NoteContent, NoteRequest
from contracts.user_events import ImportProgress
from notes_service.link_names import link_path
from notes_service.repository import NoteTransaction
from notes_service.repository.imports import ClaimedImport, FileResult, ImportRepository, LeaseLost, Outcome
from notes_service.repository.note_files import store_front_matter
from notes_service.transfer.archive_reader import ReadFile, SkippedFile, Upload
from notes_service.transfer.entry_names import is_expected
from notes_service.transfer.limits import DEFAULT, Limits
from notes_service.transfer.note_file import NoteFile
from notes_service.unit_of_work import UnitOfWork
from servicekit.background import LoopHealth, in_background, is_outage, repeat

log = structlog.stdlib.get_logger()

WORKERS = 4
"""Imports that one replica works on at a time, of different users; more wait in the queue."""
POLL_SECONDS = 1.0
"""How often a worker polls for imports that were abandoned or queued by other replicas."""
BATCH_FILES = 16
"""Files per transaction, unpacked ahead: with one each, every file would wait for the disk."""
BATCH_SKIPPED = 1_000
"""Skipped files per transaction: they are only counted."""
BATCH_CHARACTERS = 64 * 1024
"""Limit of a batch's text: during its transaction, the user's other writes have to wait."""
PROGRESS_SECONDS = 0.2
"""The interval between two signals of an import's progress."""
RENEW_SECONDS = 5.0
"""How often the lease is renewed while a worker skips files that an earlier attempt has done."""


FAILED = "This file could not be imported because of an error in the server, which has logged it."


class ImportWorker:
    def __init__(self, nc: Client, imports: ImportRepository, unit_of_work: UnitOfWork, health: LoopHealth) -> None:
        self.nc = nc
        self.imports = imports
        self.unit_of_work = unit_of_work
        self.health = health
        self.limits = Limits(files=max(DEFAULT.files, unit_of_work.quota.notes))
        self.woken = asyncio.Event()

    def wake(self) -> None:
        """Wakes a worker, because an import was queued."""
        self.woken.set()

    def running(self) -> AbstractAsyncContextManager[None]:
        return in_background(*(self._loop(number) for number in range(WORKERS)))

    async def _loop(self, number: int) -> None:
        """Each worker is a separate loop, so that an idle one does not hide the failures of another."""
        await repeat(f"import {number + 1}", self._work, POLL_SECONDS, self.health, wake=self.woken)

    async def _work(self) -> None:
        """Carries out imports until there is none left to claim."""
        while claimed := await self.imports.claim():
            await self.carry_out(claimed)

    async def carry_out(self, claimed: ClaimedImport) -> None:
        """If it fails or is cancelled, the import is released, so that another attempt can begin at once."""
        try:
            await ImportExecution(self, claimed).run()
        except LeaseLost:
            log.warning("another worker has taken the import over", import_id=claimed.id)
        except BaseException:
            await self._release(claimed)
            raise

    async def _release(self, claimed: ClaimedImport) -> None:
        try:
            await self.imports.release(claimed)
        except Exception as error:  # the lease will expire anyway; the original error is raised
            if not is_outage(error):
                log.exception("cannot release an import", import_id=claimed.id)


class ImportExecution:
    """One attempt at an import."""

    def __init__(self, worker: ImportWorker, claimed: ClaimedImport) -> None:
        self.worker = worker
        self.claimed = claimed
        self.seen = 0
        """The number of files read so far: the first `claimed.processed` of them were done before."""
        self.ids: dict[str, str] = {}
        """The ids of notes in the files so far, with the file that contained each."""
        self.total = len(claimed.files)
        self.progress_at = 0.0
        self.renewed_at = 0.0

    async def run(self) -> None:
        """Raises `LeaseLost`."""
        for number, name in enumerate(self.claimed.files):
            with tempfile.TemporaryFile() as file:
                async for data in self.worker.imports.content(self.claimed, number):
                    file.write(data)
                await self._take_upload(file, name, len(self.claimed.files) - number - 1)
        await self.worker.imports.complete(self.claimed)
        await self._signal_progress(self.seen, is_last=True)

    async def _take_upload(self, file: BinaryIO, name: str, later: int) -> None:
        """`later`: the number of uploads after this one, whose number of files is not known yet."""
        upload = await asyncio.to_thread(Upload, file, name, self.worker.limits, self.ids)
        self.total = self.seen + upload.total + later
        await self.worker.imports.set_total(self.claimed, self.total)
        files = iter(upload)
        while batch := await asyncio.to_thread(_next_batch, files):
            new = batch[max(0, self.claimed.processed - self.seen) :]
            self.seen += len(batch)
            if new:
                await self._signal_progress(await self._take(new))
            else:
                await self._renew_lease()

    async def _take(self, batch: list[ReadFile | SkippedFile]) -> int:
        """Returns how many files are done. Where one fails, each is taken alone, and that one is skipped."""
        try:
            return await self._take_together(batch)
        except LeaseLost:
            raise
        except Exception as error:
            if is_outage(error):
                raise
            if len(batch) == 1:
                log.exception("a file was not imported", import_id=self.claimed.id)
                return await self._take_together([SkippedFile(batch[0].name, FAILED)])
        processed = 0
        for file in batch:
            processed = await self._take([file])
        return processed

    async def _take_together(self, batch: list[ReadFile | SkippedFile]) -> int:
        """The notes and the count in one transaction."""
        async with self.worker.unit_of_work(NoteRequest(actor=self.claimed.actor)) as tx:
            return await self.claimed.record(tx.db, [await _take_file(tx, file) for file in batch])

    async def _renew_lease(self) -> None:
        """Throttled. Needed because unpacking the skipped files may take longer than a lease."""
        now = asyncio.get_running_loop().time()
        if now - self.renewed_at >= RENEW_SECONDS:
            self.renewed_at = now
            await self.worker.imports.set_total(self.claimed, self.total)

    async def _signal_progress(self, processed: int, *, is_last: bool = False) -> None:
        """Publishes a signal, which may be lost. Throttled, except for the last one."""
        now = asyncio.get_running_loop().time()
        if not is_last and now - self.progress_at < PROGRESS_SECONDS:
            return
        self.progress_at = now
        progress = ImportProgress(import_id=self.claimed.id, processed=processed, total=self.total)
        with suppress(NatsError):
            await self.worker.nc.publish(
                subjects.user_signal(self.claimed.actor.user_id), progress.model_dump_json().encode()
            )


async def _take_file(tx: NoteTransaction, file: ReadFile | SkippedFile) -> FileResult:
    if isinstance(file, SkippedFile):
        return FileResult(file.name, kind="refused" if is_expected(file.name) else "other", message=file.reason)
    try:
        outcome = await import_note(tx, file)
    except QuotaExceeded as error:
        return FileResult(file.name, message=error.message)
    return FileResult(file.name, outcome, "warning", " ".join(file.note.left_out))


async def import_note(tx: NoteTransaction, file: ReadFile) -> Outcome:
    """Creates or updates the file's note. Importing the same file again changes nothing.

    A file with the id of a note replaces the note's content, and restores the note from the trash. A file without an id
    never changes the note that was created from it, except for restoring it from the trash. Raises `QuotaExceeded`.
    """
    note_id = file.note.id or _id_of_content(tx.actor.user_id, file)
    outcome = await _import_as(tx, note_id, file)
    if file.note.front_matter:
        await store_front_matter(tx.db, tx.actor.user_id, note_id, file.note.front_matter)
    return outcome


async def _import_as(tx: NoteTransaction, note_id: str, file: ReadFile) -> Outcome:
    note = await _existing(tx, note_id)
    if note is None:
        created_at, updated_at = _times(file.note)
        content, path = NoteContent.of(file.note), link_path(file.path)
        await tx.create(note_id, content, created_at=created_at, updated_at=updated_at, path=path)
        return "created"
    before = NoteContent.of(note)
    content = NoteContent.of(file.note) if file.note.id else before
    if note.deleted_at is not None:
        await tx.restore(note, content)
    elif content != before:
        await tx.update(note, content)
    else:
        return "unchanged"
    return "updated"


async def _existing(tx: NoteTransaction, note_id: str) -> Note | None:
    try:
        return await tx.note(note_id)
    except NotFound:
        return None


def _id_of_content(user_id: str, file: ReadFile) -> str:
    """The same id for the same file. It depends on name and text, because two folders may each have a README."""
    note = file.note
    return str(uuid5(UUID(user_id), "\0".join((file.name, note.title, *note.tags, note.body))))


def _times(file: NoteFile) -> tuple[datetime, datetime]:
    """The file's creation and update times, at most now: a future date would keep the note first in lists."""
    now = datetime.now(UTC)
    return min(file.created or file.updated or now, now), min(file.updated or file.created or now, now)


def _next_batch(files: Iterator[ReadFile | SkippedFile]) -> list[ReadFile | SkippedFile]:
    batch: list[ReadFile | SkippedFile] = []
    read = characters = 0
    for file in files:
        batch.append(file)
        if isinstance(file, ReadFile):
            read += 1
            characters += len(file.note.body)
        if read >= BATCH_FILES or characters >= BATCH_CHARACTERS or len(batch) - read >= BATCH_SKIPPED:
            break
    return batch
