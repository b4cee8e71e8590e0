"""A model behind an HTTP API: with a listener for streaming, and as the SDK's `Model`."""

from collections.abc import AsyncGenerator
from typing import Any, Literal, cast

from agents import FunctionTool, ModelResponse, ModelSettings, Usage
from agents.items import TResponseInputItem, TResponseStreamEvent
from agents.models.interface import Model
from agents.tool import Tool
from openai.types.responses import ResponseCompletedEvent

from agent_service.models.wire.chat_completions import ChatCompletionsDecoder
from agent_service.models.wire.client import WireClient
from agent_service.models.wire.listener import Listener, SilentListener
from agent_service.models.wire.requests import ModelRequest, chat_completions_body, responses_body
from agent_service.models.wire.response_body import ResponseBody
from agent_service.models.wire.response_builder import FinishedResponse, ResponseBuilder
from agent_service.models.wire.responses import ResponsesDecoder

Api = Literal["chat", "responses"]


class HttpModel(Model):
    """`api`: which of the two formats the server uses."""

    def __init__(self, name: str, client: WireClient, api: Api) -> None:
        self._name = name
        self._client = client
        self._api: Api = api

    async def respond(
        self,
        listener: Listener,
        instructions: str | None,
        items: str | list[TResponseInputItem],
        settings: ModelSettings,
        tools: list[Tool],
    ) -> FinishedResponse:
        """Sends one request. Calls the listener while the response streams. Raises `ModelFailed`, and nothing else."""
        conversation = [{"role": "user", "content": items}] if isinstance(items, str) else cast(list[Any], items)
        functions = [tool for tool in tools if isinstance(tool, FunctionTool)]
        request = ModelRequest(self._name, self._client.provider, instructions, conversation, functions, settings)
        builder = ResponseBuilder(
            listener,
            provider=self._client.provider,
            tools={tool.name for tool in functions},
            accepts_text_calls=not _has_made_calls(conversation, self._client.provider),
        )
        if self._api == "chat":
            await self._client.stream(
                "chat/completions", chat_completions_body(request), ResponseBody(ChatCompletionsDecoder(builder))
            )
        else:
            await self._client.stream("responses", responses_body(request), ResponseBody(ResponsesDecoder(builder)))
        return builder.complete(self._name)

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        response = (await self._respond(*args, **kwargs)).response
        usage = response.usage
        assert usage is not None
        return ModelResponse(
            output=response.output,
            usage=Usage(
                requests=1,
                input_tokens=usage.input_tokens,
                output_tokens=usage.output_tokens,
                total_tokens=usage.total_tokens,
            ),
            response_id=None,
        )

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncGenerator[TResponseStreamEvent]:
        """One event: the complete response."""
        response = (await self._respond(*args, **kwargs)).response
        yield ResponseCompletedEvent(type="response.completed", response=response, sequence_number=0)

    async def _respond(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 (the SDK's name)
        model_settings: ModelSettings,
        tools: list[Tool],
        *_: Any,
        **__: Any,
    ) -> FinishedResponse:
        return await self.respond(SilentListener(), system_instructions, input, model_settings, tools)


def _has_made_calls(items: list[Any], provider: str) -> bool:
    """Whether the server has parsed a call from the model's text before. If so, text that still looks like a call is
    only text: a note that the model repeats must not cause a call."""
    return any(
        item.get("type") == "function_call"
        and item.get("provider_data", {}).get("provider") == provider
        and not item["provider_data"].get("from_text")
        for item in items
    )
