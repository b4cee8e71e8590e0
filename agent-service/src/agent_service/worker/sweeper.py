"""Finds runs that nobody works on, and offers them again; forgets what nobody needs. Runs in every replica; two of them
do no harm."""

import asyncio
import random

import orjson
import structlog
from nats.aio.client import Client
from nats.errors import Error

from agent_service.repository import SweepRepository
from agent_service.worker.jobs import Job, publish_job
from agent_service.worker.worker import PATIENCE_SECONDS, Worker
from contracts import subjects
from contracts.streams import RUN_EVENTS, RUN_JOBS
from servicekit.database_timeout import DATABASE_UNAVAILABLE

log = structlog.stdlib.get_logger()

SWEEP_SECONDS = 2.0
GRACE_SECONDS = 3.0
"""A run this young may be about to get its job."""
REPLY_SECONDS = 2.0


class Sweeper:
    def __init__(self, nc: Client, sweeps: SweepRepository, worker: Worker, keep_events: float) -> None:
        """`keep_events`: seconds after its end for which a run's events stay in the stream."""
        self.nc = nc
        self.keep_events = keep_events
        self.sweeps = sweeps
        self.worker = worker

    async def sweep(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS * random.uniform(0.75, 1.25))  # noqa: S311  (replicas drift apart)
            try:
                await self.sweep_once()
            except (Error, *DATABASE_UNAVAILABLE) as error:
                log.warning("not swept", error=repr(error))
            except Exception:  # whatever it is, the next sweep may succeed
                log.exception("not swept")

    async def sweep_once(self) -> None:
        await self.sweeps.forget_deleted()
        await self._forget_events()
        abandoned = await self.sweeps.abandoned(grace=GRACE_SECONDS, patience=PATIENCE_SECONDS)
        if not abandoned:
            return
        offered = await self._offered()
        for run in abandoned:
            if run.overdue:  # only to be told so: that needs no room
                self.worker.take(run.user_id, run.run_id)
            elif run.run_id not in offered:
                log.info("run offered again", run_id=run.run_id, attempt=run.attempt)
                await publish_job(self.nc, Job(run_id=run.run_id, user_id=run.user_id), f"lost {run.attempt}")

    async def _forget_events(self) -> None:
        """The database can tell of these runs from now on. What fails here goes with the stream's own hour."""
        for user_id, run_id in await self.sweeps.take_told(after=self.keep_events):
            request = orjson.dumps({"filter": subjects.user_run(user_id, run_id)})
            await self.nc.request(f"$JS.API.STREAM.PURGE.{RUN_EVENTS.name}", request, timeout=REPLY_SECONDS)

    async def _offered(self) -> set[str]:
        """The runs that have a job in the queue, taken or not."""
        request = orjson.dumps({"subjects_filter": subjects.ALL_RUN_JOBS})
        reply = await self.nc.request(f"$JS.API.STREAM.INFO.{RUN_JOBS.name}", request, timeout=REPLY_SECONDS)
        found: dict[str, int] = orjson.loads(reply.data).get("state", {}).get("subjects") or {}
        return {subject.rsplit(".", 1)[1] for subject in found}
