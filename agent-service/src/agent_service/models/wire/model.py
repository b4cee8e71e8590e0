"""A model behind an HTTP API: with a listener for streaming, and as the SDK's `Model`."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, Literal, cast

import structlog
from agents import FunctionTool, ModelResponse, ModelSettings, Usage
from agents.items import TResponseInputItem, TResponseStreamEvent
from agents.models.interface import Model
from agents.tool import Tool
from openai.types.responses import ResponseCompletedEvent

from agent_service.errors import RequestRefused
from agent_service.models.wire.chat_completions import ChatCompletionsDecoder
from agent_service.models.wire.client import WireClient
from agent_service.models.wire.dialect import TOOLS, Dialect
from agent_service.models.wire.listener import Listener, SilentListener
from agent_service.models.wire.requests import ModelRequest, chat_completions_body, responses_body
from agent_service.models.wire.response_body import ResponseBody
from agent_service.models.wire.response_builder import FinishedResponse, ResponseBuilder
from agent_service.models.wire.responses import ResponsesDecoder

log = structlog.stdlib.get_logger()

Api = Literal["chat", "responses"]


class HttpModel(Model):
    """`name`: None for the first model that the server offers. `api`: which of the two formats the server uses."""

    def __init__(self, name: str | None, client: WireClient, api: Api, dialect: Dialect | None = None) -> None:
        self._name = name
        self._client = client
        self._api: Api = api
        self.dialect = dialect or Dialect()

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
        name = await self.name()
        request = ModelRequest(name, self._client.provider, instructions, conversation, functions, settings)
        has_made_calls = _has_made_calls(conversation, self._client.provider)
        form = self.dialect.form()
        whole: dict[str, Any] | None = None
        while True:
            body = self._encode(replace(request, form=form))
            whole = whole or body
            builder = ResponseBuilder(
                listener,
                provider=self._client.provider,
                tools={tool.name for tool in functions} if TOOLS in body else set(),
                accepts_text_calls=TOOLS in body and not has_made_calls,
            )
            try:
                await self._client.stream(self._path, body, ResponseBody(self._decoder(builder)))
            except RequestRefused as refused:
                has_begun = any(builder.progress)
                simpler = None if has_begun else self.dialect.simpler(form, body, refused)
                if simpler is None:
                    raise
                log.info("request repeated in a simpler form", omitted=sorted(simpler.omitted), plain=simpler.is_plain)
                listener.simplified("no_tools" if TOOLS in simpler.omitted - form.omitted else "request_refused")
                form = simpler
                continue
            self.dialect.accepted(form, whole, body)
            return builder.complete(name)

    async def name(self) -> str:
        """The model's name: the configured one, or else the first that the server offers. Raises `ModelFailed`."""
        if self._name is None:
            self._name = await self._client.first_model()
        return self._name

    @property
    def known_name(self) -> str | None:
        return self._name

    @property
    def _path(self) -> str:
        return "chat/completions" if self._api == "chat" else "responses"

    def _encode(self, request: ModelRequest) -> dict[str, Any]:
        return chat_completions_body(request) if self._api == "chat" else responses_body(request)

    def _decoder(self, builder: ResponseBuilder) -> ChatCompletionsDecoder | ResponsesDecoder:
        return ChatCompletionsDecoder(builder) if self._api == "chat" else ResponsesDecoder(builder)

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
