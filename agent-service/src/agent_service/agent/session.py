"""The run's own part of the conversation as the SDK gets it: a session on PostgreSQL. What came before is in the
context's `history`, which is sent with each request in the size that fits."""

from typing import Any

from agents.memory import SessionABC

from agent_service.agent.context import RunContext
from agent_service.agent.history import History
from agent_service.repository import SessionItem, StoredHistory

BYTES_PER_TOKEN = 8
"""More than tokens have in any text: what is read fills the model's window, with as much again to summarise."""
LEAST_BYTES, MOST_BYTES = 256 * 1024, 4 * 1024 * 1024
"""Of JSON that is read of a conversation. The least is for what there is to summarise once."""


class ConversationSession(SessionABC):
    """The user's message is stored with the run, the model's responses before their tools run, and results when they
    arrive. So of the items that the SDK adds afterwards only those that it made itself are new."""

    def __init__(self, context: RunContext) -> None:
        self.session_id = context.run.conversation_id
        self._context = context
        self._own: list[Any] = []

    async def load(self, window: int) -> None:
        """Reads the run and its branch of the conversation; called once in an attempt. `window`: how many tokens the
        model takes."""
        run = self._context.run
        if run.first_message is not None:
            item = {"role": "user", "content": run.first_message}
            stored = StoredHistory([SessionItem(1, run.id, None, item)])
        else:
            max_bytes = min(max(window * BYTES_PER_TOKEN, LEAST_BYTES), MOST_BYTES)
            stored = await self._context.records.history(run.user_id, run.id, max_bytes=max_bytes)
        self._context.next_item = stored.items[-1].seq + 1 if stored.items else 1
        self._context.history = History.of(stored, run.id)
        self._own = [item.item for item in stored.items if item.run_id == run.id]
        self._context.read_versions.replay([*self._context.history.items, *self._own])

    @property
    def calls_without_output(self) -> list[Any]:
        """The stored calls without a stored output: an earlier worker did not make them, or did not store the
        result."""
        outputs = {item["call_id"] for item in self._own if item.get("type") == "function_call_output"}
        return [item for item in self._own if item.get("type") == "function_call" and item["call_id"] not in outputs]

    @property
    def is_complete(self) -> bool:
        """Whether an earlier worker stored the final message of this run, and only the end of the run is missing."""
        return bool(self._own) and self._own[-1].get("role") == "assistant" and not self.calls_without_output

    @property
    def finish_reason(self) -> str:
        """Why the run's final message ended, where it is complete."""
        data: dict[str, str] = self._own[-1].get("provider_data") or {}
        return data.get("finish_reason", "stop")

    def append(self, item: Any) -> None:
        """Adds an item that was stored after `load`."""
        self._own.append(item)

    async def get_items(self, limit: int | None = None) -> list[Any]:
        return self._own if limit is None else self._own[-limit:]

    async def add_items(self, items: list[Any]) -> None:
        """Stores the items that the SDK made itself: outputs for calls of tools that do not exist."""
        new = [
            item
            for item in items
            if item.get("type") == "function_call_output" and item["call_id"] not in self._context.completed_calls
        ]
        if new:
            self._context.completed_calls.update(item["call_id"] for item in new)
            first = self._context.reserve_items(len(new))
            await self._context.progress.add_items(self._context.run, new, first)

    async def pop_item(self) -> Any:
        """The SDK removes what it added when a request fails; here every item stays."""
        return None

    async def clear_session(self) -> None:
        """Only its user deletes a conversation, never the SDK."""
