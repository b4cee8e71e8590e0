"""Publishes the model's output while it streams. The SDK gets only the complete response, because its own event queue
would double the cost of every token."""

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Any

import structlog
from agents import ModelSettings
from agents.items import ModelResponse, TResponseInputItem
from agents.models.interface import Model
from agents.tool import Tool
from openai.types.responses import ResponseCompletedEvent

from agent_service.agent.context import RunContext
from agent_service.errors import ModelFailed
from agent_service.models.event_model import EventModel
from agent_service.models.failures import to_model_failure
from agent_service.models.run_listener import RunListener
from agent_service.models.select import SelectedModel
from agent_service.models.wire import HttpModel
from contracts.run_events import Retrying
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

MAX_ATTEMPTS = 3
"""Requests for one response. It is retried only if nothing of it but reasoning was published."""
MAX_BACKOFF_SECONDS = 20.0
"""If the provider asks for a longer pause, the run fails and the user decides."""
RETRIED_CODES = ("rate_limited", "model_unavailable")
LOADING_SECONDS = 60.0
"""How long requests are retried while the server loads the model."""
LOADING_PAUSE_SECONDS = 2.0


class StreamingModel(Model):
    def __init__(self, selected: SelectedModel, context: RunContext) -> None:
        self.selected = selected
        self.context = context
        model = selected.model
        self._model = model if isinstance(model, HttpModel) else EventModel(model, selected.timeout)

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        return await self.selected.model.get_response(*args, **kwargs)

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 (the SDK's name)
        model_settings: ModelSettings,
        tools: list[Tool],
        *_: Any,
        **__: Any,
    ) -> AsyncGenerator[ResponseCompletedEvent]:
        """One event. Raises `ModelFailed`, whatever error the model raises."""
        now = asyncio.get_running_loop().time
        attempt, began = 1, now()
        listener = RunListener(self.context, self.selected.current_status().model)
        while True:
            self.context.preparation.close()
            try:
                finished = await self._model.respond(listener, system_instructions, input, model_settings, tools)
            except Exception as error:
                failed = to_model_failure(error)
                log.warning("model failed", code=failed.code, attempt=attempt, error=describe(error))
                delay = self._backoff(failed, attempt, now() - began)
                if delay is None:
                    raise failed from (None if failed is error else error)
            else:
                self.context.finish_reason = finished.finish_reason
                yield ResponseCompletedEvent(type="response.completed", response=finished.response, sequence_number=0)
                return
            attempt += 1
            self._publish_retry(failed, attempt, delay)
            listener.start_over()
            await asyncio.sleep(delay)

    def _backoff(self, failed: ModelFailed, attempt: int, seconds: float) -> float | None:
        """Seconds before the next attempt, None if there is to be none. `seconds`: since the first attempt began."""
        if self.context.incoming.is_visible or not failed.retryable or failed.code not in RETRIED_CODES:
            return None
        if failed.reason == "loading":
            return LOADING_PAUSE_SECONDS if seconds < LOADING_SECONDS else None
        if attempt >= MAX_ATTEMPTS:
            return None
        delay = failed.retry_after if failed.retry_after is not None else 0.5 * 2**attempt * random.uniform(0.5, 1)  # noqa: S311
        return delay if delay <= MAX_BACKOFF_SECONDS else None

    def _publish_retry(self, failed: ModelFailed, attempt: int, delay: float) -> None:
        most = round(LOADING_SECONDS / LOADING_PAUSE_SECONDS) if failed.reason == "loading" else MAX_ATTEMPTS
        self.context.publisher.emit(
            Retrying(
                attempt=attempt,
                max_attempts=max(attempt, most),
                delay_ms=round(delay * 1000),
                reason=failed.reason,
                model=self.selected.current_status().model,
            )
        )
