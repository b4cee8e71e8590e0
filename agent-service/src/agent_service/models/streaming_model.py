"""Publishes the model's output while it streams. The SDK gets only the complete response, because its own event queue
would double the cost of every token.

A run has a chain of models: its own, and those that answer where that one cannot. Invariant: a request is repeated, by
the same model or the next one, only while nothing of its response but reasoning was published; so no text is told
twice, and no call made twice. It holds because every repetition is decided by `_may_repeat`, and because what was
published before this response is complete and stored: text, calls and their outputs. They are part of the request to
the next model, in a portable form, without what only the server that sent it understands. A model that could not answer
is not asked again in the same run.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any

import structlog
from agents import ModelSettings
from agents.items import ModelResponse, TResponseInputItem
from agents.models.interface import Model
from agents.tool import Tool
from openai.types.responses import ResponseCompletedEvent

from agent_service.agent.context import RunContext
from agent_service.agent.history import portable_item
from agent_service.errors import ContextTooLong, ModelFailed
from agent_service.models.event_model import EventModel
from agent_service.models.failures import to_model_failure
from agent_service.models.fitting import ContextFitter, ContextRequest
from agent_service.models.run_listener import RunListener
from agent_service.models.select import SelectedModel
from agent_service.models.wire import FinishedResponse, HttpModel
from contracts.run_events import Retrying
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

MAX_ATTEMPTS = 3
"""Requests to one model for one response."""
MAX_BACKOFF_SECONDS = 20.0
"""If the provider asks for a longer pause, the next model answers, or the run fails and the user decides."""
RETRIED_CODES = ("rate_limited", "model_unavailable")
LOADING_SECONDS = 60.0
"""How long requests are retried while the server loads the model, if no other model can answer."""
LOADING_PAUSE_SECONDS = 2.0
CHAIN_SECONDS = 180.0
"""After which no further request for the same response begins, by whichever model."""
SAME_ELSEWHERE = ("internal", "moderated")
"""Reasons for which no other model is asked: an error of ours, and a filter that is not to be evaded."""


class StreamingModel(Model):
    def __init__(self, chain: Sequence[SelectedModel], context: RunContext, wrote: Sequence[str | None] = ()) -> None:
        """`wrote`: the ids of the models that wrote the run's messages so far, for a run that is taken over; the last
        one goes on, if it is in the chain."""
        self.chain = chain
        self.context = context
        ids = [selected.current_status().model for selected in chain]
        self._place = ids.index(wrote[-1]) if wrote and wrote[-1] in ids else 0
        self._is_portable = any(model not in (None, ids[self._place]) for model in wrote)
        self._take_turn(self._place)

    def _take_turn(self, place: int) -> None:
        self._place = place
        self.context.model = self.selected.current_status().model
        self.context.prices = self.selected.prices

    @property
    def selected(self) -> SelectedModel:
        """The model whose turn it is."""
        return self.chain[self._place]

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
        """One event. `input`: the items of the run; those before it are added, as many as fit. Raises `ModelFailed`,
        whatever error the model raises, and `LeaseLost`. Each model gets its own settings."""
        began = asyncio.get_running_loop().time()
        listener = RunListener(self.context)
        failures: list[ModelFailed] = []
        first = self._place
        while True:
            try:
                finished = await self._respond(listener, began, system_instructions, input, tools)
            except ModelFailed as failed:
                failures.append(self._explained(failed))
                if not self._may_fall_back(failed, began):
                    if not self.context.incoming.is_visible:  # nobody has answered
                        self._take_turn(first)
                    raise _of_all(failures, self.chain[first:]) from failed
                self._fall_back(failed, listener)
            else:
                self.context.finish_reason = finished.finish_reason
                yield ResponseCompletedEvent(type="response.completed", response=finished.response, sequence_number=0)
                return

    async def _respond(
        self,
        listener: RunListener,
        began: float,
        instructions: str | None,
        items: str | list[Any],
        tools: list[Tool],
    ) -> FinishedResponse:
        """By the model whose turn it is, with retries. Raises `ModelFailed` and `LeaseLost`."""
        now = asyncio.get_running_loop().time
        selected, attempt, first = self.selected, 1, now()
        model = (
            selected.model if isinstance(selected.model, HttpModel) else EventModel(selected.model, selected.timeout)
        )
        if self._is_portable and not isinstance(items, str):
            items = [portable for item in items if (portable := portable_item(item)) is not None]
        own = [{"role": "user", "content": items}] if isinstance(items, str) else items
        settings = selected.settings_for(self.context.run.effort)
        request = ContextRequest(instructions, own, tools, settings)
        if self._place > 0:  # of the first, the window was asked when the run was loaded
            with suppress(ModelFailed):
                await selected.look_up()
        fitter = ContextFitter(self.context, selected, model.respond)
        self.context.preparation.close()
        fitted, may_shorten = await fitter.fit(request), True
        while True:
            try:
                return await model.respond(listener, fitted.instructions, fitted.items, settings, tools)
            except ContextTooLong as error:
                smaller = (
                    await fitter.fit_less(request, fitted, error) if may_shorten and self._may_repeat(began) else None
                )
                log.warning("request too long", tokens=fitted.tokens, limit=error.limit, repeated=smaller is not None)
                if smaller is None:
                    raise
                fitted, may_shorten = smaller, False
                failed, delay = error, 0.0
            except Exception as error:
                failed = to_model_failure(error)
                log.warning("model failed", code=failed.code, attempt=attempt, error=describe(error))
                delay = self._backoff(failed, attempt, now() - first)
                if delay is None or not self._may_repeat(began, delay):
                    raise failed from (None if failed is error else error)
            attempt += 1
            self._publish_retry(failed, attempt, delay)
            listener.start_over()
            await asyncio.sleep(delay)

    def _may_repeat(self, began: float, delay: float = 0.0) -> bool:
        is_in_time = asyncio.get_running_loop().time() + delay - began < CHAIN_SECONDS
        return is_in_time and not self.context.incoming.is_visible

    def _backoff(self, failed: ModelFailed, attempt: int, seconds: float) -> float | None:
        """Seconds before the model's next attempt, None if there is to be none. `seconds`: since its first began."""
        if not failed.retryable or failed.code not in RETRIED_CODES:
            return None
        if failed.reason == "loading":
            return LOADING_PAUSE_SECONDS if not self._has_next and seconds < LOADING_SECONDS else None
        if attempt >= MAX_ATTEMPTS:
            return None
        delay = failed.retry_after if failed.retry_after is not None else 0.5 * 2**attempt * random.uniform(0.5, 1)  # noqa: S311
        return delay if delay <= MAX_BACKOFF_SECONDS else None

    @property
    def _has_next(self) -> bool:
        return self._place + 1 < len(self.chain)

    def _may_fall_back(self, failed: ModelFailed, began: float) -> bool:
        return self._has_next and failed.reason not in SAME_ELSEWHERE and self._may_repeat(began)

    def _fall_back(self, failed: ModelFailed, listener: RunListener) -> None:
        """The next model's turn, for the rest of the run."""
        listener.start_over()
        self._is_portable = True
        self._take_turn(self._place + 1)
        self._publish_retry(failed, attempt=1, delay=0.0)

    def _explained(self, failed: ModelFailed) -> ModelFailed:
        message = self.selected.explained(failed.message)
        return ModelFailed(failed.code, message, retryable=failed.retryable, reason=failed.reason)

    def _publish_retry(self, failed: ModelFailed, attempt: int, delay: float) -> None:
        is_waited_for = failed.reason == "loading" and attempt > 1
        most = round(LOADING_SECONDS / LOADING_PAUSE_SECONDS) if is_waited_for else MAX_ATTEMPTS
        self.context.publisher.emit(
            Retrying(
                attempt=attempt,
                max_attempts=max(attempt, most),
                delay_ms=round(delay * 1000),
                reason=failed.reason,
                model=self.context.model,
            )
        )


def _of_all(failures: list[ModelFailed], chain: Sequence[SelectedModel]) -> ModelFailed:
    """One failure of all that were tried: each with its model's name, as each may have another remedy."""
    if len(failures) == 1:
        return failures[0]
    said = [f"{tried.described().label}: {failed.message}" for tried, failed in zip(chain, failures, strict=False)]
    is_retryable = any(failed.retryable for failed in failures)
    return ModelFailed(failures[0].code, "\n".join(said), retryable=is_retryable, reason=failures[0].reason)
