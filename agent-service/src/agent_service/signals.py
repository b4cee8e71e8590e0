"""Signals to a user's tabs that a run or a conversation changed. One may be lost; clients then read the state later."""

import structlog
from nats.aio.client import Client
from nats.errors import Error
from pydantic import BaseModel

from contracts import subjects
from contracts.chat import RunStatus
from contracts.user_events import ConversationChanged, RunChanged
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()


class Signals:
    def __init__(self, nc: Client) -> None:
        self.nc = nc

    async def run_changed(self, user_id: str, run_id: str, conversation_id: str, status: RunStatus) -> None:
        await self._publish(user_id, RunChanged(run_id=run_id, conversation_id=conversation_id, status=status))

    async def conversation_changed(self, user_id: str, change: ConversationChanged) -> None:
        await self._publish(user_id, change)

    async def _publish(self, user_id: str, signal: BaseModel) -> None:
        try:
            await self.nc.publish(subjects.user_signal(user_id), signal.model_dump_json().encode())
        except Error as error:
            log.warning("signal lost", error=describe(error))
