"""What the model remembers of a conversation: an SDK session on PostgreSQL, bounded."""

from typing import Any

import orjson
from agents.memory import SessionABC

from agent_service.agent.context import RunContext
from agent_service.repository.record import Memory

MAX_TOKENS = 32_000
BYTES_PER_TOKEN = 4
"""A rough estimate, on the safe side for English prose in JSON."""


class ConversationSession(SessionABC):
    """The user's message is stored when the run is asked for, answers before their tools run, results as they come:
    what the SDK hands over afterwards is there already, but for what it answered itself."""

    def __init__(self, context: RunContext) -> None:
        self.session_id = context.run.conversation_id
        self._context = context
        self._items: list[Any] = []
        self._own: list[Any] = []

    async def load(self) -> None:
        """Reads the run's branch of the conversation, once for an attempt."""
        run = self._context.run
        memories = await self._context.record.memories(run.user_id, run.id, most_bytes=MAX_TOKENS * BYTES_PER_TOKEN)
        bounded = newest(memories, run.id, MAX_TOKENS * BYTES_PER_TOKEN)
        self._context.seq = memories[-1].seq + 1 if memories else 1
        self._own = [memory.item for memory in bounded if memory.run_id == run.id]
        self._items = [memory.item if memory.run_id == run.id else settled(memory.item) for memory in bounded]
        self._items = [item for item in self._items if item is not None]
        for item in self._items:
            _learn(self._context, item)

    @property
    def unanswered(self) -> list[Any]:
        """The calls that an earlier worker stored and did not get to, or whose result it could not store."""
        outputs = {item["call_id"] for item in self._own if item.get("type") == "function_call_output"}
        return [item for item in self._own if item.get("type") == "function_call" and item["call_id"] not in outputs]

    @property
    def answer_is_whole(self) -> bool:
        """Whether an earlier worker stored the last answer of this run, and only its end is missing."""
        return bool(self._own) and self._own[-1].get("role") == "assistant" and not self.unanswered

    def remember(self, item: Any) -> None:
        """Adds what was stored after `load`."""
        self._own.append(item)
        self._items.append(item)

    async def get_items(self, limit: int | None = None) -> list[Any]:
        return self._items if limit is None else self._items[-limit:]

    async def add_items(self, items: list[Any]) -> None:
        """Stores what only the SDK knows: its answers to calls of tools that do not exist."""
        new = [
            item
            for item in items
            if item.get("type") == "function_call_output" and item["call_id"] not in self._context.answered
        ]
        if new:
            self._context.answered.update(item["call_id"] for item in new)
            await self._context.progress.remember(self._context.run, new, self._context.take_places(len(new)))

    async def pop_item(self) -> Any:
        """The SDK takes back what it added when a request fails; what was said stays said here."""
        return None

    async def clear_session(self) -> None:
        """A conversation is deleted by its user, never by the SDK."""


def newest(memories: list[Memory], run_id: str, most_bytes: int) -> list[Memory]:
    """The present run whole, and of what came before as many whole runs, newest first, as fit: a call is never
    parted from its output, nor a question from its answer."""
    by_run: dict[str, list[Memory]] = {}
    for memory in memories:
        by_run.setdefault(memory.run_id, []).append(memory)
    kept: list[Memory] = []
    size = 0
    for run, items in reversed(by_run.items()):
        size += sum(memory.size for memory in items)
        first = items[0].item
        if run != run_id and (size > most_bytes or first.get("role") != "user"):  # or it was cut when it was read
            break
        kept = items + kept
    return kept


def settled(item: dict[str, Any]) -> dict[str, Any] | None:
    """An item of an earlier run without what ties it to the provider's own store: the model may be another today."""
    if item.get("type") == "reasoning":
        return None
    if item.get("type") == "message":
        text = "".join(part.get("text") or part.get("refusal") or "" for part in item["content"])
        return {"role": item["role"], "content": text} if text else None
    return {name: value for name, value in item.items() if name != "id"}


def _learn(context: RunContext, item: dict[str, Any]) -> None:
    if item.get("type") == "function_call" or item.get("role") == "assistant":
        context.seen.answered()
    elif item.get("type") == "function_call_output" and isinstance(item.get("output"), str):
        try:
            context.seen.learn(orjson.loads(item["output"]))
        except ValueError:
            return
