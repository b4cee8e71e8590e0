"""Which request is answered by what; and the one edge where a database that is away becomes `ServiceUnavailable`."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import TypeVar

import structlog
from contracts.chat import ModelStatus
from contracts.errors import ServiceUnavailable
from contracts.rpc import Empty, Handlers
from pydantic import BaseModel

from agent_service.conversations import Conversations
from agent_service.repository.patience import AWAY
from agent_service.runs import Runs
from agent_service.starts import Starts
from contracts import chat

log = structlog.stdlib.get_logger()

ANSWER_SECONDS = 4.0
"""A caller waits for 5 s: what takes longer than this is given up while somebody still listens."""

Asked = TypeVar("Asked", bound=BaseModel)
Answered = TypeVar("Answered", bound=BaseModel)


def handlers(starts: Starts, runs: Runs, conversations: Conversations, status: ModelStatus) -> Handlers:
    async def answer_status(_: Empty) -> ModelStatus:
        return status

    found = Handlers()
    found.add(chat.STATUS, answer_status)
    found.add(chat.RUN_START, _in_time(starts.start))
    found.add(chat.RUN_EDIT, _in_time(starts.edit))
    found.add(chat.RUN_REGENERATE, _in_time(starts.regenerate))
    found.add(chat.RUN_GET, _in_time(runs.get))
    found.add(chat.RUN_CANCEL, _in_time(runs.cancel))
    found.add(chat.RUN_DECIDE, _in_time(runs.decide))
    found.add(chat.RUN_REPLAY, _in_time(runs.replay))
    found.add(chat.CONVERSATION_LIST, _in_time(conversations.page))
    found.add(chat.CONVERSATION_CREATE, _in_time(conversations.create))
    found.add(chat.CONVERSATION_GET, _in_time(conversations.get))
    found.add(chat.CONVERSATION_UPDATE, _in_time(conversations.update))
    found.add(chat.CONVERSATION_DELETE, _in_time(conversations.delete))
    return found


def _in_time(handler: Callable[[Asked], Awaitable[Answered]]) -> Callable[[Asked], Awaitable[Answered]]:
    @wraps(handler)
    async def answer(asked: Asked) -> Answered:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await handler(asked)
        except AWAY as error:
            if isinstance(error, ValueError):  # an argument that asyncpg cannot send: a mistake of ours
                raise
            log.warning("the database does not answer", error=repr(error))
            raise ServiceUnavailable from error

    return answer
