"""Takes runs from the queue and works on them, a bounded number at a time; hands them on when it must go."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from nats.aio.msg import Msg
from nats.errors import Error

from agent_service.errors import LostRun
from agent_service.repository import ClaimedRun, ClaimRepository
from agent_service.worker.control import Control
from agent_service.worker.execution import Workshop, execute
from agent_service.worker.jobs import Job, Jobs
from contracts import subjects
from servicekit.background import in_background
from servicekit.database_timeout import DATABASE_UNAVAILABLE

log = structlog.stdlib.get_logger()

LEASE_SECONDS = 8.0
"""How long a run stays with a worker that says nothing. Less than the queue's own patience, so that a job that comes
back finds its run free."""
BEAT_SECONDS = 2.0
DRAIN_SECONDS = 10.0
PATIENCE_SECONDS = 600.0
"""How long a run may wait for its first worker."""
RETRY_SECONDS = 1.0


@dataclass
class _Work:
    task: asyncio.Task[None]
    control: Control
    job: Msg | None
    run: ClaimedRun | None = None
    next: tuple[Job, Msg | None] | None = None


class Worker:
    def __init__(self, shop: Workshop, claims: ClaimRepository, max_runs: int) -> None:
        self.shop = shop
        self.claims = claims
        self.max_runs = max_runs
        self._works: dict[str, _Work] = {}
        self._draining = False
        self._jobs = Jobs(shop.nc, self._room, self._receive)

    @asynccontextmanager
    async def working(self) -> AsyncGenerator["Worker"]:
        """Works until the block ends; then takes nothing new, gives its runs 10 s, and hands on the rest."""
        controls = await self.shop.nc.subscribe(subjects.ALL_RUN_CONTROLS, cb=self._on_control)
        try:
            async with in_background(self._beat()):
                async with self._jobs.pulling():
                    yield self
                await self._drain()
        finally:
            for work in self._works.values():
                work.task.cancel()
            if self.shop.nc.is_connected:
                await controls.unsubscribe()

    def take(self, user_id: str, run_id: str) -> None:
        """Works on a run beside the queue: one that only has to be ended."""
        self._begin(Job(run_id=run_id, user_id=user_id), None)

    def reconnected(self) -> None:
        """The connection to the broker was lost and is back."""
        self._jobs.reconnected()

    def _room(self) -> int:
        return self.max_runs - len(self._works)

    def _receive(self, msg: Msg, job: Job) -> None:
        self._begin(job, msg)

    def _begin(self, job: Job, msg: Msg | None) -> None:
        if work := self._works.get(job.run_id):
            work.next = (job, msg)  # it came twice, or there is more to do since the run was let go of
            return
        work = _Work(asyncio.create_task(self._work(job)), Control(), msg)
        self._works[job.run_id] = work
        work.task.add_done_callback(lambda _: self._forget(job.run_id))

    def _forget(self, run_id: str) -> None:
        work = self._works.pop(run_id)
        if work.next is not None and not self._draining:
            self._begin(*work.next)
        self._jobs.room_changed()

    async def _work(self, job: Job) -> None:
        work = self._works[job.run_id]
        status = self.shop.choice.status
        try:
            work.run = run = await self.claims.claim(
                job.user_id,
                job.run_id,
                lease=LEASE_SECONDS,
                patience=PATIENCE_SECONDS,
                model=status.model,
                mode=status.mode,
            )
            if run is not None:
                work.control.cancelled = work.control.cancelled or run.cancel_requested
                await execute(self.shop, run, work.control)
            if work.job is not None:  # over, or in other hands: the sweeper offers it again should these fail
                await work.job.ack()
        except LostRun:
            log.warning("run lost", run_id=job.run_id)
        except asyncio.CancelledError:
            await self._hand_on(work, delay=None)
            raise
        except Exception:
            log.exception("run interrupted", run_id=job.run_id)
            await self._hand_on(work, delay=RETRY_SECONDS)

    async def _hand_on(self, work: _Work, delay: float | None) -> None:
        """Lets another worker have the run at once; where that cannot be said, the lease says it in some seconds."""
        try:
            if work.run is not None:
                await self.claims.release(work.run.id, work.run.attempt)
            if work.job is not None:
                await work.job.nak(delay)
        except (Error, *DATABASE_UNAVAILABLE) as error:
            log.warning("run not handed on", error=repr(error))

    async def _on_control(self, msg: Msg) -> None:
        if work := self._works.get(msg.subject.rsplit(".", 1)[1]):
            work.control.cancel()

    async def _beat(self) -> None:
        """Says of every run that it is in work, to the queue and to the database, and hears what was asked of it."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self._beat_once()
            except (Error, *DATABASE_UNAVAILABLE) as error:
                log.warning("no heartbeat", error=repr(error))
            except Exception:  # whatever it is, the next beat may succeed, and without one all runs are lost
                log.exception("no heartbeat")

    async def _beat_once(self) -> None:
        for work in self._works.values():
            if work.job is not None:
                await work.job.in_progress()
        claimed = {run.id: run.attempt for work in self._works.values() if (run := work.run) is not None}
        if not claimed:
            return
        ours = await self.claims.beat(claimed, lease=LEASE_SECONDS)
        for run_id, attempt in claimed.items():
            work = self._works.get(run_id)
            if work is None or work.run is None or work.run.attempt != attempt:
                continue
            if run_id not in ours:
                work.run = None  # nothing to hand on
                work.task.cancel()
            elif ours[run_id] and not work.control.cancelled:
                work.control.cancel()

    async def _drain(self) -> None:
        self._draining = True
        tasks = [work.task for work in self._works.values()]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
        for task in late:
            task.cancel()
        if late:
            log.info("handing runs on", runs=len(late))
            await asyncio.wait(late, timeout=DRAIN_SECONDS)
