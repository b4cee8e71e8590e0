"""Takes jobs from the queue and executes their runs, a bounded number at a time; releases them on shutdown."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from nats.aio.msg import Msg

from agent_service.errors import LeaseLost
from agent_service.repository import ClaimedRun, ClaimRepository
from agent_service.worker.cancellation import Cancellation
from agent_service.worker.execution import WorkerDeps, execute
from agent_service.worker.jobs import JobPuller, RunJob
from contracts import subjects
from servicekit.background import in_background, is_outage, repeat
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

LEASE_SECONDS = 8.0
"""How long a run stays with a worker that sends no heartbeat. Less than the queue's `ack_wait`, so that a redelivered
job finds its run free."""
HEARTBEAT_SECONDS = 2.0
DRAIN_SECONDS = 10.0
START_TIMEOUT_SECONDS = 600.0
"""How long a run may wait for its first worker."""
RETRY_SECONDS = 1.0


@dataclass
class _ActiveRun:
    """`run`: once it is claimed. `next_job`: another job for the run that arrived meanwhile."""

    task: asyncio.Task[None]
    cancellation: Cancellation
    job: Msg | None
    run: ClaimedRun | None = None
    next_job: tuple[RunJob, Msg | None] | None = None


class Worker:
    def __init__(self, deps: WorkerDeps, claims: ClaimRepository, max_runs: int) -> None:
        self.deps = deps
        self.claims = claims
        self.max_runs = max_runs
        self._active: dict[str, _ActiveRun] = {}
        self._draining = False
        self._puller = JobPuller(deps.nc, deps.loops, self._free_slots, self._receive)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Worker"]:
        """Works until the block ends; then takes nothing new, gives its runs 10 s, and releases the rest."""
        controls = await self.deps.nc.subscribe(subjects.ALL_RUN_CONTROLS, cb=self._on_control)
        try:
            async with in_background(repeat("heartbeat", self._heartbeat, HEARTBEAT_SECONDS, self.deps.loops)):
                async with self._puller.pulling():
                    yield self
                await self._drain()
        finally:
            for active in self._active.values():
                active.task.cancel()
            if self.deps.nc.is_connected:
                await controls.unsubscribe()

    def start_now(self, user_id: str, run_id: str) -> None:
        """Executes a run without a job and a free slot: one that only has to be ended."""
        self._start(RunJob(run_id=run_id, user_id=user_id), None)

    def reconnected(self) -> None:
        """The connection to the broker was lost and is back."""
        self._puller.reconnected()

    def _free_slots(self) -> int:
        return self.max_runs - len(self._active)

    def _receive(self, msg: Msg, job: RunJob) -> None:
        self._start(job, msg)

    def _start(self, job: RunJob, msg: Msg | None) -> None:
        if active := self._active.get(job.run_id):
            active.next_job = (job, msg)  # delivered twice, or more to do since the run was released
            return
        active = _ActiveRun(asyncio.create_task(self._execute(job)), Cancellation(), msg)
        self._active[job.run_id] = active
        active.task.add_done_callback(lambda _: self._ended(job.run_id))

    def _ended(self, run_id: str) -> None:
        active = self._active.pop(run_id)
        if active.next_job is not None and not self._draining:
            self._start(*active.next_job)
        self._puller.slots_changed()

    async def _execute(self, job: RunJob) -> None:
        active = self._active[job.run_id]
        status = self.deps.model.current_status()
        try:
            active.run = run = await self.claims.claim(
                job.user_id,
                job.run_id,
                lease=LEASE_SECONDS,
                start_timeout=START_TIMEOUT_SECONDS,
                model=status.model,
                mode=status.mode,
            )
            if run is not None:
                active.cancellation.requested = active.cancellation.requested or run.cancel_requested
                await execute(self.deps, run, active.cancellation)
            if active.job is not None:  # over, waiting, or held by another worker, after whose death recovery queues it
                await active.job.ack()
        except LeaseLost:
            log.warning("lease lost", run_id=job.run_id)
        except asyncio.CancelledError:
            await self._release(active, delay=None)
            raise
        except Exception as error:
            if is_outage(error):
                log.warning("run interrupted", run_id=job.run_id, error=describe(error))
            else:
                log.exception("run interrupted", run_id=job.run_id)
            await self._release(active, delay=RETRY_SECONDS)

    async def _release(self, active: _ActiveRun, delay: float | None) -> None:
        """Lets another worker claim the run at once. If that fails, the lease expires within some seconds."""
        try:
            if active.run is not None:
                await self.claims.release(active.run.id, active.run.attempt)
            if active.job is not None:
                await active.job.nak(delay)
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("run not released", error=describe(error))

    async def _on_control(self, msg: Msg) -> None:
        run_id = msg.subject.rsplit(".", 1)[1]
        if msg.data == subjects.FLUSH:
            self.deps.events.write_for_reader(run_id)
        elif active := self._active.get(run_id):
            active.cancellation.request()

    async def _heartbeat(self) -> None:
        """Tells the queue that the jobs are in progress and renews the leases; stops runs that were lost or
        cancelled."""
        for active in self._active.values():
            if active.job is not None:
                await active.job.in_progress()
        claimed = {run.id: run.attempt for active in self._active.values() if (run := active.run) is not None}
        if not claimed:
            return
        held = await self.claims.renew(claimed, lease=LEASE_SECONDS)
        for run_id, attempt in claimed.items():
            active = self._active.get(run_id)
            if active is None or active.run is None or active.run.attempt != attempt:
                continue
            if run_id not in held:
                active.run = None  # there is no lease to release
                active.task.cancel()
            elif held[run_id] and not active.cancellation.requested:
                active.cancellation.request()

    async def _drain(self) -> None:
        self._draining = True
        tasks = [active.task for active in self._active.values()]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=DRAIN_SECONDS)
        for task in late:
            task.cancel()
        if late:
            log.info("releasing runs", runs=len(late))
            await asyncio.wait(late, timeout=DRAIN_SECONDS)
