"""A server that speaks OpenAI's Chat Completions."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

from agents import OpenAIChatCompletionsModel
from openai.types.chat import ChatCompletionChunk

from agent_service.errors import ModelFailed

CUT = "The model's answer broke off in the middle."


class CompatibleModel(OpenAIChatCompletionsModel):
    """The SDK asks only OpenAI itself for the reason an answer ended; from any other server it would take an answer
    that was cut off for a whole one."""

    async def _fetch_response(self, *args: Any, **kwargs: Any) -> Any:
        fetch = cast(Callable[..., Awaitable[Any]], super()._fetch_response)
        answer = await fetch(*args, **kwargs)
        if kwargs.get("stream"):
            response, stream = answer
            return response, _Whole(stream)
        return answer


class _Whole:
    """The chunks of an answer; raises `ModelFailed` where they end without a reason to."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        ended = False
        async for chunk in self._stream:
            if chunk.choices and chunk.choices[0].finish_reason:
                ended = True
            yield chunk
        if not ended:
            raise ModelFailed("model_unavailable", CUT, retryable=True)
