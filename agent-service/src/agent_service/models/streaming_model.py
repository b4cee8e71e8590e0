"""Publishes the model's output while it streams. The SDK gets only the events that it needs: its own event queue would
double the cost of every token."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import structlog
from agents.items import ModelResponse
from agents.models.interface import Model

from agent_service.agent.context import RunContext
from agent_service.errors import ModelFailed
from agent_service.models.compatible import INTERRUPTED
from agent_service.models.failures import to_model_failure
from agent_service.models.select import SelectedModel
from agent_service.repository.values import plain_text
from contracts.run_events import Retrying, ToolCallBegan

log = structlog.stdlib.get_logger()

MAX_ATTEMPTS = 3
"""Requests for one response; repeated only while the user has seen nothing of it."""
MAX_BACKOFF_SECONDS = 20.0
"""If the provider asks for a longer pause, the run fails and the user decides."""
RETRIED_CODES = ("rate_limited", "model_unavailable")


class StreamingModel(Model):
    def __init__(self, selected: SelectedModel, context: RunContext) -> None:
        self.selected = selected
        self.context = context
        self._call_ids: dict[int, str] = {}

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return await self.selected.model.get_response(*args, **kwargs)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Raises `ModelFailed`, whatever error the model raises."""
        attempt = 1
        while True:
            try:
                async with aclosing(self._attempt(*args, **kwargs)) as events:
                    async for event in events:
                        yield event
            except Exception as error:
                failed = to_model_failure(error)
                log.warning("model failed", code=failed.code, attempt=attempt, error=repr(error))
                delay = self._backoff(failed, attempt)
                if delay is None:
                    raise failed from (None if failed is error else error)
            else:
                return
            self._publish_retry(failed, attempt + 1, delay)
            await asyncio.sleep(delay)
            attempt += 1

    def _backoff(self, failed: ModelFailed, attempt: int) -> float | None:
        """Seconds before the next attempt, None if there is to be none."""
        is_final = attempt >= MAX_ATTEMPTS or not failed.retryable or failed.code not in RETRIED_CODES
        if is_final or self.context.incoming.is_visible:
            return None
        delay = failed.retry_after if failed.retry_after is not None else 0.5 * 2**attempt * random.uniform(0.5, 1)  # noqa: S311
        return delay if delay <= MAX_BACKOFF_SECONDS else None

    def _publish_retry(self, failed: ModelFailed, attempt: int, delay: float) -> None:
        self.context.publisher.emit(
            Retrying(
                attempt=attempt,
                max_attempts=MAX_ATTEMPTS,
                delay_ms=round(delay * 1000),
                reason=failed.code,
                model=self.selected.status.model,
            )
        )

    async def _attempt(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
        completed = False
        self._call_ids.clear()
        self.context.preparation.close()
        events = self.selected.model.stream_response(*args, **kwargs)
        try:
            while (event := await self._next(events)) is not None:
                completed = completed or event.type == "response.completed"
                yield event
        finally:
            await events.aclose()  # pyright: ignore[reportAttributeAccessIssue]  (always an async generator)
        if not completed:
            raise ModelFailed("model_unavailable", INTERRUPTED, retryable=True)

    async def _next(self, events: AsyncIterator[Any]) -> Any:
        """The next event that the SDK needs, None at the end; publishes the events before it.

        Raises `TimeoutError` if no event arrives for the model's timeout. The deadline is moved only after an eighth of
        the timeout, because moving it for every token is expensive; so it may be late by an eighth.
        """
        now = asyncio.get_running_loop().time
        timeout = self.selected.timeout
        publish_token, parts = self.context.publisher.token, self.context.incoming.parts
        async with asyncio.timeout(timeout) as deadline:
            moved_at = now()
            async for event in events:
                kind = event.type
                if kind == "response.output_text.delta":
                    parts.append(event.delta)
                    publish_token(event.delta)
                elif kind in ("response.output_item.done", "response.completed"):
                    return event
                else:
                    self._publish(kind, event)
                if (received_at := now()) - moved_at > timeout / 8:
                    moved_at = received_at
                    deadline.reschedule(received_at + timeout * 1.125)
        return None

    def _publish(self, kind: str, event: Any) -> None:
        publisher, incoming = self.context.publisher, self.context.incoming
        if kind == "response.function_call_arguments.delta":
            if call_id := self._call_ids.get(event.output_index):
                publisher.tool_args(call_id, event.delta)
        elif kind == "response.output_item.added":
            if event.item.type == "function_call":
                self._call_ids[event.output_index] = event.item.call_id
                incoming.announced[event.item.call_id] = event.item.name
                publisher.emit(ToolCallBegan(call_id=event.item.call_id, name=plain_text(event.item.name)))
        elif kind == "response.refusal.delta":
            incoming.parts.append(event.delta)
            publisher.token(event.delta)
        elif kind in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
            publisher.reasoning(event.delta)
