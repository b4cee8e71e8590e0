"""Re-queues runs that no worker works on: their job could not be published, or their worker died and the queue has lost
the job. Every replica does so; a run that is queued twice is claimed once."""

import structlog
from nats.aio.client import Client

from agent_service.repository import RecoveryRepository
from agent_service.worker.jobs import RunJob, publish_job
from agent_service.worker.worker import START_TIMEOUT_SECONDS, Worker
from contracts import subjects
from contracts.streams import RUN_JOBS

log = structlog.stdlib.get_logger()

GRACE_SECONDS = 3.0
"""A run younger than this may be about to get its job."""
TIMEOUT_SECONDS = 2.0


class Recovery:
    def __init__(self, nc: Client, repository: RecoveryRepository, worker: Worker) -> None:
        self._nc = nc
        self._js = nc.jetstream(timeout=TIMEOUT_SECONDS)
        self._repository = repository
        self._worker = worker

    async def requeue_abandoned(self) -> None:
        abandoned = await self._repository.abandoned(grace=GRACE_SECONDS, start_timeout=START_TIMEOUT_SECONDS)
        if not abandoned:
            return
        queued = await self._queued_runs()
        for run in abandoned:
            if run.overdue:  # it only has to be ended: that needs no free slot
                self._worker.start_now(run.user_id, run.run_id)
            elif run.run_id not in queued:
                log.info("run queued again", run_id=run.run_id, attempt=run.attempt)
                await publish_job(self._nc, RunJob(run_id=run.run_id, user_id=run.user_id), f"lost {run.attempt}")

    async def _queued_runs(self) -> set[str]:
        """The runs that have a job in the queue, delivered or not."""
        info = await self._js.stream_info(RUN_JOBS.name, subjects_filter=subjects.ALL_RUN_JOBS)
        return {subject.rsplit(".", 1)[1] for subject in info.state.subjects or {}}
