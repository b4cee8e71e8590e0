"""A run's ear on its model: what the model says goes to the user at once, and to the SDK only what it works with.

The SDK's own event queue would cost as much again for every token.
"""

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
from agent_service.models.choice import ModelChoice
from agent_service.models.compatible import CUT
from agent_service.models.failures import explained
from agent_service.repository.values import plain_text
from contracts.run_events import Retrying, ToolCallBegan

log = structlog.stdlib.get_logger()

MAX_ATTEMPTS = 3
"""Times that one answer is asked for, as long as nothing of it has been shown."""
LONGEST_WAIT = 20.0
"""Seconds; a provider that wants us to wait longer is told to the user instead."""
RETRIED = ("rate_limited", "model_unavailable")


class ListeningModel(Model):
    def __init__(self, choice: ModelChoice, context: RunContext) -> None:
        self.choice = choice
        self.context = context
        self._call_ids: dict[int, str] = {}

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return await self.choice.model.get_response(*args, **kwargs)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Raises `ModelFailed`, and nothing else of the model's."""
        attempt = 1
        while True:
            try:
                async with aclosing(self._attempt(*args, **kwargs)) as events:
                    async for event in events:
                        yield event
            except Exception as error:
                failed = explained(error)
                log.warning("model failed", code=failed.code, attempt=attempt, error=repr(error))
                delay = self._delay(failed, attempt)
                if delay is None:
                    raise failed from (None if failed is error else error)
            else:
                return
            self._tell(failed, attempt + 1, delay)
            await asyncio.sleep(delay)
            attempt += 1

    def _delay(self, failed: ModelFailed, attempt: int) -> float | None:
        """Seconds to wait before the next attempt, or None where there is to be none."""
        if attempt >= MAX_ATTEMPTS or self.context.turn.shown or not failed.retryable or failed.code not in RETRIED:
            return None
        delay = failed.retry_after if failed.retry_after is not None else 0.5 * 2**attempt * random.uniform(0.5, 1)  # noqa: S311
        return delay if delay <= LONGEST_WAIT else None

    def _tell(self, failed: ModelFailed, attempt: int, delay: float) -> None:
        self.context.stream.emit(
            Retrying(
                attempt=attempt,
                max_attempts=MAX_ATTEMPTS,
                delay_ms=round(delay * 1000),
                reason=failed.code,
                model=self.choice.status.model,
            )
        )

    async def _attempt(self, *args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
        whole = False
        self._call_ids.clear()
        self.context.getting_ready.close()
        events = self.choice.model.stream_response(*args, **kwargs)
        try:
            while (event := await self._next(events)) is not None:
                whole = whole or event.type == "response.completed"
                yield event
        finally:
            await events.aclose()  # pyright: ignore[reportAttributeAccessIssue]  (an async generator, always)
        if not whole:
            raise ModelFailed("model_unavailable", CUT, retryable=True)

    async def _next(self, events: AsyncIterator[Any]) -> Any:
        """The next event that the SDK needs, or None at the end; tells the user of those in between.

        Raises `TimeoutError` after a silence; the limit is moved only now and then, so it may come an eighth late.
        """
        now = asyncio.get_running_loop().time
        silence = self.choice.timeout
        token, parts = self.context.stream.token, self.context.turn.parts
        async with asyncio.timeout(silence) as limit:
            moved = now()
            async for event in events:
                kind = event.type
                if kind == "response.output_text.delta":
                    parts.append(event.delta)
                    token(event.delta)
                elif kind in ("response.output_item.done", "response.completed"):
                    return event
                else:
                    self._hear(kind, event)
                if (heard := now()) - moved > silence / 8:
                    moved = heard
                    limit.reschedule(heard + silence * 1.125)
        return None

    def _hear(self, kind: str, event: Any) -> None:
        stream, turn = self.context.stream, self.context.turn
        if kind == "response.function_call_arguments.delta":
            if call_id := self._call_ids.get(event.output_index):
                stream.tool_args(call_id, event.delta)
        elif kind == "response.output_item.added":
            if event.item.type == "function_call":
                self._call_ids[event.output_index] = event.item.call_id
                turn.announced[event.item.call_id] = event.item.name
                stream.emit(ToolCallBegan(call_id=event.item.call_id, name=plain_text(event.item.name)))
        elif kind == "response.refusal.delta":
            turn.parts.append(event.delta)
            stream.token(event.delta)
        elif kind in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
            stream.reasoning(event.delta)
