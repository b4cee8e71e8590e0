"""Which request is answered by what."""

from contracts.chat import ModelStatus
from contracts.rpc import Empty, Handlers

from agent_service.conversations import Conversations
from agent_service.runs import Runs
from contracts import chat


def handlers(runs: Runs, conversations: Conversations, status: ModelStatus) -> Handlers:
    async def answer_status(_: Empty) -> ModelStatus:
        return status

    found = Handlers()
    found.add(chat.STATUS, answer_status)
    found.add(chat.RUN_START, runs.start)
    found.add(chat.RUN_GET, runs.get)
    found.add(chat.RUN_CANCEL, runs.cancel)
    found.add(chat.RUN_REPLAY, runs.replay)
    found.add(chat.CONVERSATION_LIST, conversations.page)
    found.add(chat.CONVERSATION_CREATE, conversations.create)
    found.add(chat.CONVERSATION_GET, conversations.get)
    found.add(chat.CONVERSATION_UPDATE, conversations.update)
    found.add(chat.CONVERSATION_DELETE, conversations.delete)
    return found
