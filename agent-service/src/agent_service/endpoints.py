"""The operations of the service and their handlers. Callers get `ServiceUnavailable` if the database is unavailable,
and if their user has so many requests under way that the turn does not come in time."""

from collections.abc import Callable

from agent_service.conversations import ConversationService
from agent_service.run_commands import RunCommands
from agent_service.run_queries import RunQueries
from contracts import chat
from contracts.chat import ModelStatus
from contracts.operation import Empty
from servicekit.database_timeout import with_database_timeout
from servicekit.fair_share import FairShare
from servicekit.rpc import Handler, Handlers

MAX_UNDER_WAY, MAX_OF_USER, MAX_WAITING = 6, 3, 512
"""Requests, in all and of one user: fewer than there are database connections, some of which the runs need."""


def handlers(
    commands: RunCommands, queries: RunQueries, conversations: ConversationService, status: Callable[[], ModelStatus]
) -> Handlers:
    async def get_status(_: Empty) -> ModelStatus:
        return status()

    share = FairShare(MAX_UNDER_WAY, MAX_OF_USER, waiting=MAX_WAITING)

    def in_time_and_turn(handler: Handler) -> Handler:
        return with_database_timeout(share.of_user(handler))

    found = Handlers(wrap=in_time_and_turn)
    found.add_unwrapped(chat.STATUS, get_status)
    found.add(chat.RUN_START, commands.start)
    found.add(chat.RUN_EDIT, commands.edit)
    found.add(chat.RUN_REGENERATE, commands.regenerate)
    found.add(chat.RUN_GET, queries.get)
    found.add(chat.RUN_CANCEL, commands.cancel)
    found.add(chat.RUN_DECIDE, commands.decide)
    found.add(chat.RUN_UNDONE, commands.mark_undone)
    found.add(chat.RUN_REPLAY, queries.replay)
    found.add(chat.RUN_RETAINED_EVENTS, queries.retained_events)
    found.add(chat.CONVERSATION_LIST, conversations.page)
    found.add(chat.CONVERSATION_CREATE, conversations.create)
    found.add(chat.CONVERSATION_GET, conversations.get)
    found.add(chat.CONVERSATION_UPDATE, conversations.update)
    found.add(chat.CONVERSATION_USAGE, conversations.usage)
    found.add(chat.CONVERSATION_DELETE, conversations.delete)
    return found
