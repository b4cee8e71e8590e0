"""The operations of the service and their handlers. If the database is unavailable, callers get
`ServiceUnavailable`."""

from collections.abc import Callable

from agent_service.conversations import ConversationService
from agent_service.run_commands import RunCommands
from agent_service.run_queries import RunQueries
from contracts import chat
from contracts.chat import ModelStatus
from contracts.operation import Empty
from servicekit.database_timeout import with_database_timeout
from servicekit.rpc import Handlers


def handlers(
    commands: RunCommands, queries: RunQueries, conversations: ConversationService, status: Callable[[], ModelStatus]
) -> Handlers:
    async def get_status(_: Empty) -> ModelStatus:
        return status()

    found = Handlers(wrap=with_database_timeout)
    found.add(chat.STATUS, get_status)
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
