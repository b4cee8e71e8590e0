"""The operations of the service and their handlers. Callers get `ServiceUnavailable` if the database is unavailable,
and if their user has so many requests under way that the turn does not come in time. Requests that come before the
handlers are loaded wait for them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from contracts import chat
from contracts.chat import AvailableModels, ModelStatus
from contracts.operation import Empty, Operation, RequestT, ResponseT
from servicekit.database_timeout import with_database_timeout
from servicekit.fair_share import FairShare
from servicekit.rpc import Handler, Handlers

if TYPE_CHECKING:
    from agent_service.service import Service

MAX_UNDER_WAY, MAX_OF_USER, MAX_WAITING = 6, 3, 512
"""Requests, in all and of one user: fewer than there are database connections, some of which the runs need."""


def handlers(loading: "asyncio.Future[Service]") -> Handlers:
    share = FairShare(MAX_UNDER_WAY, MAX_OF_USER, waiting=MAX_WAITING)

    def once_loaded(handler: Handler) -> Handler:
        async def answer(request: Any) -> Any:
            if not loading.done():
                await asyncio.wait({loading})
            return await handler(request)

        return answer

    found = Handlers(wrap=lambda handler: once_loaded(with_database_timeout(share.of_user(handler))))

    def add(
        operation: Operation[RequestT, ResponseT],
        choose: "Callable[[Service], Callable[[RequestT], Awaitable[ResponseT]]]",
    ) -> None:
        async def chosen(request: RequestT) -> ResponseT:
            return await choose(loading.result())(request)

        found.add(operation, chosen)

    async def status(_: Empty) -> ModelStatus:
        await asyncio.wait({loading})
        return loading.result().status()

    async def models(_: Empty) -> AvailableModels:
        await asyncio.wait({loading})
        return loading.result().available_models()

    found.add_unwrapped(chat.STATUS, status)
    found.add_unwrapped(chat.MODELS, models)
    add(chat.RUN_START, lambda service: service.commands.start)
    add(chat.RUN_EDIT, lambda service: service.commands.edit)
    add(chat.RUN_REGENERATE, lambda service: service.commands.regenerate)
    add(chat.RUN_REPLACED, lambda service: service.commands.replaced)
    add(chat.RUN_GET, lambda service: service.queries.get)
    add(chat.RUN_CANCEL, lambda service: service.commands.cancel)
    add(chat.RUN_DECIDE, lambda service: service.commands.decide)
    add(chat.RUN_UNDONE, lambda service: service.commands.mark_undone)
    add(chat.RUN_REPLAY, lambda service: service.queries.replay)
    add(chat.RUN_RETAINED_EVENTS, lambda service: service.queries.retained_events)
    add(chat.USAGE_DAILY, lambda service: service.queries.daily_usage)
    add(chat.CONVERSATION_LIST, lambda service: service.conversations.page)
    add(chat.CONVERSATION_CREATE, lambda service: service.conversations.create)
    add(chat.CONVERSATION_GET, lambda service: service.conversations.get)
    add(chat.CONVERSATION_UPDATE, lambda service: service.conversations.update)
    add(chat.CONVERSATION_SUMMARY_UPDATE, lambda service: service.conversations.update_summary)
    add(chat.CONVERSATION_USAGE, lambda service: service.conversations.usage)
    add(chat.CONVERSATION_DELETE, lambda service: service.conversations.delete)
    return found
