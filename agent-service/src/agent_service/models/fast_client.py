"""OpenAI's client without its two largest costs, measured with 50 concurrent answers: transforming every tool's schema
for each Chat Completions request (5 ms), and validating each token against all event types (a fifth of all CPU).

The only file that uses private parts of the `openai` package: see docs/adr/0012-private-parts-behind-adapters.md for
what breaks when they change and which test notices.
"""

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
_TEXT_DELTA_FIELDS = {"content", "role"}
_TEXT_DELTA = TypeAdapter(ResponseTextDeltaEvent)
_TEXT_CHOICE_FIELDS = {"index", "delta", "finish_reason", "logprobs"}


class FastClient(AsyncOpenAI):
    """Builds text chunks without validation; everything else takes the package's own way."""

    @cached_property
    def chat(self) -> "_FastChat":
        return _FastChat(self)

    def _process_response_data(self, *, data: object, cast_to: Any, response: Any) -> Any:
        if cast_to is ChatCompletionChunk and (chunk := _text_chunk(data)) is not None:
            return chunk
        if _is_text_delta(data):
            return _TEXT_DELTA.validate_python(data)
        return super()._process_response_data(data=data, cast_to=cast_to, response=response)


class _FastChat(AsyncChat):
    @cached_property
    def completions(self) -> "_FastCompletions":
        return _FastCompletions(self._client)


class _FastCompletions(AsyncCompletions):
    async def create(self, **parameters: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Sends the parameters as they are: the SDK passes plain JSON."""
        body = {name: value for name, value in parameters.items() if not isinstance(value, Omit | NotGiven)}
        options = {name: body.pop(name) for name in _OPTIONS if name in body}
        return await self._post(
            "/chat/completions",
            body=body,
            options=make_request_options(**options, security={"bearer_auth": True}),
            cast_to=ChatCompletion,
            stream=body.get("stream") or False,
            stream_cls=AsyncStream[ChatCompletionChunk],
        )


def _is_text_delta(data: Any) -> bool:
    match data:
        case {"type": "response.output_text.delta"}:
            return True
        case _:
            return False


def _text_chunk(data: Any) -> ChatCompletionChunk | None:
    """The chunk, if it holds text and nothing else, as almost all do; else None."""
    match data:
        case {"choices": [{"delta": {"content": str()} as delta, "finish_reason": None} as choice]}:
            pass
        case _:
            return None
    if delta.keys() - _TEXT_DELTA_FIELDS or choice.keys() - _TEXT_CHOICE_FIELDS or choice.get("logprobs"):
        return None
    if data.get("usage"):
        return None
    delta = _unchecked(ChoiceDelta, delta)
    return _unchecked(ChatCompletionChunk, data | {"choices": [_unchecked(Choice, choice | {"delta": delta})]})


def _unchecked(kind: type[Any], values: dict[str, Any]) -> Any:
    """As `model_construct`, but without aliases and default factories, which these models do not have."""
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
