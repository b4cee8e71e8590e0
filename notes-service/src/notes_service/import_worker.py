"""Carries imports out in the background: any replica may, one at a time has it; a crash loses and repeats nothing."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, suppress
from typing import BinaryIO

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from contracts import subjects
from contracts.errors import QuotaExceeded
from contracts.note_transfer import ImportProblem
from contracts.user_events import ImportProgress
from notes_service.importing import import_note
from notes_service.repository import Writing
from notes_service.repository.imports import Imports, Job, LeaseLost
from notes_service.transfer.archive_reader import Found, Skipped, Upload
from notes_service.transfer.limits import DEFAULT, Limits
from notes_service.writes import Writes
from servicekit.background import in_background

log = structlog.stdlib.get_logger()

WORKERS = 2
"""Imports that one replica works on at a time; more wait their turn."""
LOOK_SECONDS = 1.0
"""How often a worker looks for what others left or have no time for."""
BATCH = 16
"""Files that are unpacked ahead and taken in one transaction: alone, each would wait for the disk."""
BATCH_CHARACTERS = 64 * 1024
"""With so much text a batch is full: as long as it lasts, its user can write nothing else."""
TELL_SECONDS = 0.2
HOLD_SECONDS = 5.0
"""Of passing over what an earlier attempt did: the import is still in hands."""


class ImportWorker:
    def __init__(self, nc: Client, imports: Imports, writes: Writes) -> None:
        self.nc = nc
        self.imports = imports
        self.writes = writes
        self.limits = Limits(files=max(DEFAULT.files, writes.quota.notes))
        self.woken = asyncio.Event()

    def wake(self) -> None:
        """There is an import to carry out."""
        self.woken.set()

    def running(self) -> AbstractAsyncContextManager[None]:
        return in_background(*(self._run() for _ in range(WORKERS)))

    async def _run(self) -> None:
        while True:
            try:
                job = await self.imports.claim()
                if job is not None:
                    await self.own(job)
                    continue
            except Exception as error:  # the database is away: the service's health says so
                log.warning("cannot import", error=repr(error))
            await self._wait()

    async def _wait(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                await self.woken.wait()
        self.woken.clear()

    async def own(self, job: Job) -> None:
        """Whatever ends the work before its time, another worker goes on with it."""
        try:
            await Import(self, job).carry_out()
        except LeaseLost:
            log.warning("another worker has the import", import_id=job.id)
        except BaseException:
            with suppress(Exception):
                await self.imports.release(job)
            raise


class Import:
    """One import, carried out by one worker."""

    def __init__(self, worker: ImportWorker, job: Job) -> None:
        self.worker = worker
        self.job = job
        self.passed = 0
        """Outcomes that were looked at; the first of them an earlier attempt may have dealt with."""
        self.ids: dict[str, str] = {}
        self.total = len(job.files)
        self.told = 0.0
        self.held = 0.0

    async def carry_out(self) -> None:
        for number, name in enumerate(self.job.files):
            with tempfile.TemporaryFile() as file:
                async for data in self.worker.imports.content(self.job, number):
                    file.write(data)
                await self._file(file, name, len(self.job.files) - number - 1)
        await self.worker.imports.complete(self.job)
        await self._tell(self.passed, ended=True)

    async def _file(self, file: BinaryIO, name: str, later: int) -> None:
        """`later`: files after this one, whose content nobody has seen yet."""
        upload = await asyncio.to_thread(Upload, file, name, self.worker.limits, self.ids)
        self.total = self.passed + upload.total + later
        await self.worker.imports.set_total(self.job, self.total)
        outcomes = iter(upload)
        while batch := await asyncio.to_thread(_next, outcomes):
            new = batch[max(0, self.job.processed - self.passed) :]
            self.passed += len(batch)
            if new:
                await self._tell(await self._take(new))
            else:
                await self._hold()

    async def _take(self, batch: list[Found | Skipped]) -> int:
        """The notes and the count in one transaction."""
        processed = 0
        async with self.worker.writes.open(self.job.actor) as write:
            for outcome in batch:
                processed = await self._take_one(write, outcome)
        return processed

    async def _take_one(self, write: Writing, outcome: Found | Skipped) -> int:
        if isinstance(outcome, Skipped):
            return await self.job.count(write.db, "skipped", _problem(outcome, outcome.reason))
        try:
            done = await import_note(write, outcome)
        except QuotaExceeded as error:
            return await self.job.count(write.db, "skipped", _problem(outcome, error.message))
        return await self.job.count(write.db, done)

    async def _hold(self) -> None:
        """Unpacking what was done before may take longer than a lease lasts."""
        now = asyncio.get_running_loop().time()
        if now - self.held >= HOLD_SECONDS:
            self.held = now
            await self.worker.imports.set_total(self.job, self.total)

    async def _tell(self, processed: int, *, ended: bool = False) -> None:
        """A signal, which may be lost; not for every file."""
        now = asyncio.get_running_loop().time()
        if not ended and now - self.told < TELL_SECONDS:
            return
        self.told = now
        progress = ImportProgress(import_id=self.job.id, processed=processed, total=self.total)
        with suppress(NatsError):
            await self.worker.nc.publish(
                subjects.user_signal(self.job.actor.user_id), progress.model_dump_json().encode()
            )


def _next(outcomes: Iterator[Found | Skipped]) -> list[Found | Skipped]:
    batch: list[Found | Skipped] = []
    characters = 0
    for outcome in outcomes:
        batch.append(outcome)
        characters += len(outcome.note.body) if isinstance(outcome, Found) else 0
        if len(batch) >= BATCH or characters >= BATCH_CHARACTERS:
            break
    return batch


def _problem(outcome: Found | Skipped, reason: str) -> ImportProblem:
    return ImportProblem(name=outcome.name, reason=reason)
