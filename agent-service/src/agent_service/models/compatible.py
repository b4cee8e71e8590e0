"""A model behind a server that implements OpenAI's Chat Completions.

The only file that uses a private part of the `openai-agents` package: see
docs/adr/0012-private-parts-behind-adapters.md for what breaks when it changes and which test notices.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

from agents import OpenAIChatCompletionsModel
from openai.types.chat import ChatCompletionChunk

from agent_service.errors import ModelFailed

INTERRUPTED = "The model's answer broke off in the middle."


class CompatibleModel(OpenAIChatCompletionsModel):
    """Detects interrupted responses. The SDK takes a stream that ends without a finish reason for a complete one, if
    the server is not OpenAI's own."""

    async def _fetch_response(self, *args: Any, **kwargs: Any) -> Any:
        fetch = cast(Callable[..., Awaitable[Any]], super()._fetch_response)
        fetched = await fetch(*args, **kwargs)
        if kwargs.get("stream"):
            response, stream = fetched
            return response, _CompleteStream(stream)
        return fetched


class _CompleteStream:
    """The chunks of a response. Raises `ModelFailed` if they end without a finish reason."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def __aiter__(self) -> AsyncIterator[ChatCompletionChunk]:
        finished = False
        async for chunk in self._stream:
            if chunk.choices and chunk.choices[0].finish_reason:
                finished = True
            yield chunk
        if not finished:
            raise ModelFailed("model_unavailable", INTERRUPTED, retryable=True)
