"""OpenAI's client without its largest costs, measured with 50 answers at once: walking through every tool's schema for
each request of Chat Completions (5 ms), and finding out of each token what it is (a fifth of all CPU)."""

from typing import Any

from openai import AsyncOpenAI, AsyncStream
from openai._base_client import make_request_options
from openai._compat import cached_property
from openai._types import NotGiven, Omit
from openai.resources.chat import AsyncChat
from openai.resources.chat.completions import AsyncCompletions
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import Choice, ChoiceDelta
from openai.types.responses import ResponseTextDeltaEvent
from pydantic import BaseModel, TypeAdapter

_OPTIONS = ("extra_headers", "extra_query", "extra_body", "timeout")
_PLAIN_DELTA = {"content", "role"}
_TEXT_DELTA = TypeAdapter(ResponseTextDeltaEvent)
_PLAIN_CHOICE = {"index", "delta", "finish_reason", "logprobs"}


class QuickClient(AsyncOpenAI):
    """Streams text; what is out of the ordinary goes the usual way."""

    @cached_property
    def chat(self) -> "_QuickChat":
        return _QuickChat(self)

    def _process_response_data(self, *, data: object, cast_to: Any, response: Any) -> Any:
        if cast_to is ChatCompletionChunk and (chunk := _plain_text(data)) is not None:
            return chunk
        if _is_text_delta(data):
            return _TEXT_DELTA.validate_python(data)
        return super()._process_response_data(data=data, cast_to=cast_to, response=response)


class _QuickChat(AsyncChat):
    @cached_property
    def completions(self) -> "_QuickCompletions":
        return _QuickCompletions(self._client)


class _QuickCompletions(AsyncCompletions):
    async def create(self, **asked: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """What the SDK asks for is plain JSON already."""
        given = {name: value for name, value in asked.items() if not isinstance(value, Omit | NotGiven)}
        options = {name: given.pop(name) for name in _OPTIONS if name in given}
        return await self._post(
            "/chat/completions",
            body=given,
            options=make_request_options(**options, security={"bearer_auth": True}),
            cast_to=ChatCompletion,
            stream=given.get("stream") or False,
            stream_cls=AsyncStream[ChatCompletionChunk],
        )


def _is_text_delta(data: Any) -> bool:
    match data:
        case {"type": "response.output_text.delta"}:
            return True
        case _:
            return False


def _plain_text(data: Any) -> ChatCompletionChunk | None:
    """A chunk that brings text and nothing else: almost all of them."""
    match data:
        case {"choices": [{"delta": {"content": str()} as delta, "finish_reason": None} as choice]}:
            pass
        case _:
            return None
    if delta.keys() - _PLAIN_DELTA or choice.keys() - _PLAIN_CHOICE or choice.get("logprobs"):
        return None
    if data.get("usage"):
        return None
    delta = _unchecked(ChoiceDelta, delta)
    return _unchecked(ChatCompletionChunk, data | {"choices": [_unchecked(Choice, choice | {"delta": delta})]})


def _unchecked(kind: type[Any], values: dict[str, Any]) -> Any:
    """As `model_construct`, without its care for aliases and defaults made anew."""
    instance: Any = object.__new__(kind)
    fields = _DEFAULTS[kind] | values
    object.__setattr__(instance, "__dict__", fields)
    object.__setattr__(instance, "__pydantic_fields_set__", set(values))
    object.__setattr__(instance, "__pydantic_extra__", None)
    object.__setattr__(instance, "__pydantic_private__", None)
    return instance


def _defaults(kind: type[BaseModel]) -> dict[str, Any]:
    return {name: None if field.is_required() else field.default for name, field in kind.model_fields.items()}


_DEFAULTS: dict[type[Any], dict[str, Any]] = {
    kind: _defaults(kind) for kind in (ChoiceDelta, Choice, ChatCompletionChunk)
}
