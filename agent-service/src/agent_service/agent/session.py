"""The conversation as the model gets it: an SDK session on PostgreSQL, bounded in size."""

from typing import Any

import orjson
from agents.memory import SessionABC

from agent_service.agent.context import RunContext
from agent_service.repository import SessionItem

MAX_TOKENS = 32_000
BYTES_PER_TOKEN = 4
"""A rough estimate, on the safe side for English prose in JSON."""
MAX_BYTES = MAX_TOKENS * BYTES_PER_TOKEN


class ConversationSession(SessionABC):
    """The user's message is stored with the run, the model's responses before their tools run, and results when they
    arrive. So of the items that the SDK adds afterwards only those that it made itself are new."""

    def __init__(self, context: RunContext) -> None:
        self.session_id = context.run.conversation_id
        self._context = context
        self._items: list[Any] = []
        self._own: list[Any] = []

    async def load(self) -> None:
        """Reads the run's branch of the conversation; called once in an attempt."""
        run = self._context.run
        if run.first_message is not None:
            item = {"role": "user", "content": run.first_message}
            stored = [SessionItem(1, run.id, item, len(run.first_message))]
        else:
            stored = await self._context.records.session_items(run.user_id, run.id, max_bytes=MAX_BYTES)
        bounded = newest_runs(stored, run.id, MAX_BYTES)
        self._context.next_item = stored[-1].seq + 1 if stored else 1
        self._own = [item.item for item in bounded if item.run_id == run.id]
        portable = [item.item if item.run_id == run.id else portable_item(item.item) for item in bounded]
        self._items = [item for item in portable if item is not None]
        for item in self._items:
            _record_reading(self._context, item)

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
        self._items.append(item)

    async def get_items(self, limit: int | None = None) -> list[Any]:
        return self._items if limit is None else self._items[-limit:]

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


def newest_runs(items: list[SessionItem], run_id: str, max_bytes: int) -> list[SessionItem]:
    """All items of the current run, and the newest earlier runs that fit. Runs are included whole, so that no call
    loses its output and no question its answer."""
    by_run: dict[str, list[SessionItem]] = {}
    for item in items:
        by_run.setdefault(item.run_id, []).append(item)
    included: list[SessionItem] = []
    size = 0
    for run, of_run in reversed(by_run.items()):
        size += sum(item.size for item in of_run)
        starts_whole = of_run[0].item.get("role") == "user"  # else the query's limit has cut it
        if run != run_id and (size > max_bytes or not starts_whole):
            break
        included = of_run + included
    return included


def portable_item(item: dict[str, Any]) -> dict[str, Any] | None:
    """An item of an earlier run without references to the provider's storage: the model may have changed since."""
    if item.get("type") == "reasoning":
        return item if item.get("provider_data") else None  # what the model's server wants back with its calls
    if item.get("type") == "message":
        text = "".join(part.get("text") or part.get("refusal") or "" for part in item["content"])
        return {"role": item["role"], "content": text} if text else None
    return {name: value for name, value in item.items() if name != "id"}


def _record_reading(context: RunContext, item: dict[str, Any]) -> None:
    if item.get("type") == "function_call" or item.get("role") == "assistant":
        context.read_versions.model_responded()
    elif item.get("type") == "function_call_output" and isinstance(item.get("output"), str):
        try:
            context.read_versions.record_result(orjson.loads(item["output"]))
        except ValueError:
            return
