"""Which request is answered by what. A database that is away is told to all of their callers alike."""

from agent_service.conversations import Conversations
from agent_service.runs import Runs
from agent_service.starts import Starts
from contracts import chat
from contracts.chat import ModelStatus
from contracts.operation import Empty
from servicekit.database_timeout import with_database_timeout
from servicekit.rpc import Handlers


def handlers(starts: Starts, runs: Runs, conversations: Conversations, status: ModelStatus) -> Handlers:
    async def answer_status(_: Empty) -> ModelStatus:
        return status

    found = Handlers(wrap=with_database_timeout)
    found.add(chat.STATUS, answer_status)
    found.add(chat.RUN_START, starts.start)
    found.add(chat.RUN_EDIT, starts.edit)
    found.add(chat.RUN_REGENERATE, starts.regenerate)
    found.add(chat.RUN_GET, runs.get)
    found.add(chat.RUN_CANCEL, runs.cancel)
    found.add(chat.RUN_DECIDE, runs.decide)
    found.add(chat.RUN_UNDONE, runs.undone)
    found.add(chat.RUN_REPLAY, runs.replay)
    found.add(chat.RUN_RETAINED_EVENTS, runs.kept)
    found.add(chat.CONVERSATION_LIST, conversations.page)
    found.add(chat.CONVERSATION_CREATE, conversations.create)
    found.add(chat.CONVERSATION_GET, conversations.get)
    found.add(chat.CONVERSATION_UPDATE, conversations.update)
    found.add(chat.CONVERSATION_DELETE, conversations.delete)
    return found
