"""Deletes what is past its retention period: events of finished runs, and conversations that their users deleted. Every
replica does so; the database hands each run to one of them."""

from nats.aio.client import Client

from agent_service.repository import RetentionRepository
from contracts import subjects
from contracts.streams import RUN_EVENTS

TIMEOUT_SECONDS = 2.0


class Retention:
    def __init__(self, nc: Client, repository: RetentionRepository, keep_events: float) -> None:
        """`keep_events`: seconds after the end of a run for which its events stay in the stream."""
        self._js = nc.jetstream(timeout=TIMEOUT_SECONDS)
        self._repository = repository
        self._keep_events = keep_events

    async def delete_expired(self) -> None:
        await self._repository.delete_conversations()
        # A purge that fails is not repeated: the stream's own retention then deletes the events.
        for user_id, run_id in await self._repository.expire_events(after=self._keep_events):
            await self._js.purge_stream(RUN_EVENTS.name, subject=subjects.run_log(user_id, run_id))
