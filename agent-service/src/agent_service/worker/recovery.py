"""Ends runs that have waited for a worker for too long. Every replica does so; a run is claimed once.

Runs whose worker died need nothing: their lease expires, and `Worker` claims what has no lease.
"""

from agent_service.repository import RecoveryRepository
from agent_service.worker.worker import START_TIMEOUT, Worker


class Recovery:
    def __init__(self, repository: RecoveryRepository, worker: Worker) -> None:
        self._repository = repository
        self._worker = worker

    async def end_overdue(self) -> None:
        for run in await self._repository.overdue(start_timeout=START_TIMEOUT):
            self._worker.start_now(run.user_id, run.run_id)
