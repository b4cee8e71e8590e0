"""Claims runs and executes them, a bounded number at a time; releases them on shutdown."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from nats.aio.msg import Msg

from agent_service.errors import LeaseLost
from agent_service.repository import ClaimedRun, ClaimRepository, Terms
from agent_service.worker.cancellation import Cancellation
from agent_service.worker.execution import WorkerDeps, execute
from agent_service.worker.jobs import JobPuller, RunJob, try_publish_job
from contracts import subjects
from servicekit.background import in_background, is_outage, repeat
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

LEASE = timedelta(seconds=8)
"""How long a run stays with a worker that sends no heartbeat."""
HEARTBEAT_SECONDS = 2.0
POLL_SECONDS = 2.0
"""How often a worker looks for runs that it was not told of: those of a dead worker, those whose job was lost."""
POLL_JITTER = 0.25
DRAIN_SECONDS = 10.0
START_TIMEOUT = timedelta(minutes=10)
"""How long a run may wait for its first worker."""
RETRY_SECONDS = 1.0


@dataclass
class _ActiveRun:
    """`run`: once it is claimed. `start_again`: there is more to do once this task is over."""

    user_id: str
    task: asyncio.Task[None]
    cancellation: Cancellation
    run: ClaimedRun | None
    start_again: bool = False


class Worker:
    def __init__(self, deps: WorkerDeps, claims: ClaimRepository, max_runs: int) -> None:
        self.deps = deps
        self.claims = claims
        self.max_runs = max_runs
        self._active: dict[str, _ActiveRun] = {}
        self._beginning: Counter[str] = Counter()
        """By user: runs that are being stored, each with a place kept for it."""
        self._draining = False
        self._runs_to_claim = asyncio.Event()
        self._are_more_queued = False
        """There were, when this worker last looked."""
        self._is_claiming = False
        """A claim is under way, which may take any place that was free when it began."""
        self._puller = JobPuller(deps.nc, deps.loops, self._free_places, self._runs_to_claim.set)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["Worker"]:
        """Works until the block ends; then takes nothing new, gives its runs 10 s, and releases the rest."""
        controls = await self.deps.nc.subscribe(subjects.ALL_RUN_CONTROLS, cb=self._on_control)
        try:
            async with in_background(repeat("heartbeat", self._heartbeat, HEARTBEAT_SECONDS, self.deps.loops)):
                async with self._puller.pulling(), in_background(self._claiming()):
                    yield self
                await self._drain()
        finally:
            for active in self._active.values():
                active.task.cancel()
            if self.deps.nc.is_connected:
                await controls.unsubscribe()

    @contextmanager
    def place(self, user_id: str) -> Generator[Terms | None]:
        """Keeps a place for a run that is stored in this block, which then needs no job. Yields the terms for which
        this worker claims it; None where it has to take its turn among those that are queued, or where a claim would
        not give its user another place (see `claims`)."""
        must_wait = self._draining or self._are_more_queued or self._is_claiming
        if must_wait or self._of_users()[user_id] >= self._free_places():
            yield None
            return
        self._beginning[user_id] += 1
        try:
            yield self._terms()
        finally:
            self._beginning[user_id] -= 1
            if not self._beginning[user_id]:
                del self._beginning[user_id]

    def start_claimed(self, run: ClaimedRun) -> None:
        """Executes a run that was claimed when it was stored, in the place kept for it."""
        self._start(run.user_id, run.id, run)

    def start_now(self, user_id: str, run_id: str) -> None:
        """Executes a run without a free place: one that only has to be ended."""
        if active := self._active.get(run_id):
            active.start_again = True
        else:
            self._start(user_id, run_id, None)

    def reconnected(self) -> None:
        """The connection to the broker was lost and is back."""
        self._puller.reconnected()

    def _free_places(self) -> int:
        return self.max_runs - len(self._active) - self._beginning.total()

    def _of_users(self) -> Counter[str]:
        """How many places each user has."""
        return self._beginning + Counter(active.user_id for active in self._active.values())

    def _terms(self) -> Terms:
        models = self.deps.models
        status = models.default.current_status()
        return Terms(LEASE, status.model, status.mode, tuple(models.ids))

    async def _claiming(self) -> None:
        """Claims when there is a job, when a place has become free for which others wait, and every now and then."""
        await repeat(
            "claim runs",
            self._claim_runs,
            POLL_SECONDS,
            self.deps.loops,
            jitter=POLL_JITTER,
            wake=self._runs_to_claim,
        )

    async def _claim_runs(self) -> None:
        free = self._free_places()
        if free <= 0:
            self._are_more_queued = True
            return
        self._is_claiming = True
        try:
            claimed = await self.claims.claim_next(
                free, self._of_users(), list(self._active), self._terms(), START_TIMEOUT
            )
        finally:
            self._is_claiming = False
        self._are_more_queued = claimed.are_more_queued
        for run in claimed.runs:
            if active := self._active.get(run.id):  # `start_now` was about to claim it
                active.run = run
            else:
                self._start(run.user_id, run.id, run)
        if claimed.are_more_queued and self._free_places() > free - len(claimed.runs):  # a place became free meanwhile
            self._runs_to_claim.set()

    def _start(self, user_id: str, run_id: str, run: ClaimedRun | None) -> None:
        active = _ActiveRun(user_id, asyncio.create_task(self._execute(user_id, run_id)), Cancellation(), run)
        self._active[run_id] = active
        active.task.add_done_callback(lambda _: self._ended(run_id))

    def _ended(self, run_id: str) -> None:
        active = self._active.pop(run_id)
        if active.start_again and not self._draining:
            self._start(active.user_id, run_id, None)
        if self._are_more_queued:
            self._runs_to_claim.set()
        self._puller.places_changed()

    async def _execute(self, user_id: str, run_id: str) -> None:
        active = self._active[run_id]
        try:
            claimed = active.run or await self.claims.claim(user_id, run_id, self._terms(), START_TIMEOUT)
            active.run = run = active.run or claimed
            if run is not None:
                active.cancellation.requested = active.cancellation.requested or run.cancel_requested
                await execute(self.deps, run, active.cancellation)
        except LeaseLost:
            log.warning("lease lost", run_id=run_id)
        except asyncio.CancelledError:
            await self._release(active, delay=None)
            raise
        except Exception as error:
            if is_outage(error):
                log.warning("run interrupted", run_id=run_id, error=describe(error))
            else:
                log.exception("run interrupted", run_id=run_id)
            await self._release(active, delay=RETRY_SECONDS)
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self._runs_to_claim.set)

    async def _release(self, active: _ActiveRun, delay: float | None) -> None:
        """Lets another worker claim the run at once, or after `delay` seconds. If that fails, the lease expires within
        some seconds."""
        if active.run is None:
            return
        try:
            await self.claims.release(active.run.id, active.run.attempt, delay=delay)
            if delay is None:
                job = RunJob(run_id=active.run.id, user_id=active.user_id)
                await try_publish_job(self.deps.nc, job, f"released {active.run.attempt}")
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
        """Renews the leases; stops runs that were lost or cancelled."""
        claimed = {run.id: run.attempt for active in self._active.values() if (run := active.run) is not None}
        if not claimed:
            return
        held = await self.claims.renew(claimed, LEASE)
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
