"""The operations of the service and their handlers. If the database is unavailable, callers get
`ServiceUnavailable`. Requests that come before the handlers are loaded wait for them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from contracts import chat
from contracts.chat import ModelStatus
from contracts.operation import Empty, Operation, RequestT, ResponseT
from servicekit.database_timeout import with_database_timeout
from servicekit.rpc import Handlers

if TYPE_CHECKING:
    from agent_service.service import Service


def handlers(loading: "asyncio.Future[Service]") -> Handlers:
    found = Handlers()

    def add(
        operation: Operation[RequestT, ResponseT],
        choose: "Callable[[Service], Callable[[RequestT], Awaitable[ResponseT]]]",
    ) -> None:
        async def chosen(request: RequestT) -> ResponseT:
            return await choose(loading.result())(request)

        bounded = with_database_timeout(chosen)

        async def answer(request: RequestT) -> Any:
            if not loading.done():
                await asyncio.wait({loading})
            return await bounded(request)

        found.add(operation, answer)

    def status(service: "Service") -> Callable[[Empty], Awaitable[ModelStatus]]:
        async def get(_: Empty) -> ModelStatus:
            return service.status()

        return get

    add(chat.STATUS, status)
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
    add(chat.CONVERSATION_LIST, lambda service: service.conversations.page)
    add(chat.CONVERSATION_CREATE, lambda service: service.conversations.create)
    add(chat.CONVERSATION_GET, lambda service: service.conversations.get)
    add(chat.CONVERSATION_UPDATE, lambda service: service.conversations.update)
    add(chat.CONVERSATION_USAGE, lambda service: service.conversations.usage)
    add(chat.CONVERSATION_DELETE, lambda service: service.conversations.delete)
    return found
