"""Adapts a model that streams the SDK's events, such as the demo model, to the listener interface."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from agents import ModelSettings
from agents.items import TResponseInputItem
from agents.models.interface import Model, ModelTracing
from agents.tool import Tool

from agent_service.errors import ModelFailed
from agent_service.models.wire import FinishedResponse, Listener
from agent_service.models.wire.provider_errors import CUT


class EventModel:
    """`timeout`: seconds without an event after which the model is given up."""

    def __init__(self, model: Model, timeout: float) -> None:
        self._model = model
        self._timeout = timeout
        self._call_ids: dict[int, str] = {}

    async def respond(
        self,
        listener: Listener,
        instructions: str | None,
        items: str | list[TResponseInputItem],
        settings: ModelSettings,
        tools: list[Tool],
    ) -> FinishedResponse:
        """Raises `TimeoutError`, `ModelFailed` if the events end without a response, and the model's own errors."""
        self._call_ids.clear()
        events = self._model.stream_response(
            instructions,
            items,
            settings,
            tools,
            None,
            [],
            ModelTracing.DISABLED,
            previous_response_id=None,
            conversation_id=None,
            prompt=None,
        )
        try:
            return await self._consume(events, listener)
        finally:
            await events.aclose()  # pyright: ignore[reportAttributeAccessIssue]  (always an async generator)

    async def _consume(self, events: AsyncIterator[Any], listener: Listener) -> FinishedResponse:
        """The deadline is moved only after an eighth of the timeout, because moving it for every token is expensive. It
        may therefore be late by an eighth."""
        now = asyncio.get_running_loop().time
        async with asyncio.timeout(self._timeout) as deadline:
            moved_at = now()
            async for event in events:
                kind = event.type
                if kind == "response.output_text.delta":
                    listener.text(event.delta)
                elif kind == "response.completed":
                    return FinishedResponse(event.response, "stop")
                else:
                    self._tell(kind, event, listener)
                if (received_at := now()) - moved_at > self._timeout / 8:
                    moved_at = received_at
                    deadline.reschedule(received_at + self._timeout * 1.125)
        raise ModelFailed("model_unavailable", CUT, retryable=True)

    def _tell(self, kind: str, event: Any, listener: Listener) -> None:
        if kind == "response.function_call_arguments.delta":
            if call_id := self._call_ids.get(event.output_index):
                listener.tool_args(call_id, event.delta)
        elif kind == "response.output_item.added":
            if event.item.type == "function_call":
                self._call_ids[event.output_index] = event.item.call_id
                listener.tool_call_began(event.item.call_id, event.item.name)
        elif kind == "response.refusal.delta":
            listener.text(event.delta)
        elif kind in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
            listener.reasoning(event.delta)
