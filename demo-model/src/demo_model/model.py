"""The demo model behind the SDK's `Model` interface."""

from collections.abc import AsyncIterator
from typing import Any

from agents.agent_output import AgentOutputSchemaBase
from agents.handoffs import Handoff
from agents.items import ModelResponse, TResponseInputItem, TResponseStreamEvent
from agents.model_settings import ModelSettings
from agents.models.interface import Model, ModelTracing
from agents.tool import Tool
from agents.usage import Usage
from openai.types.responses import ResponseCompletedEvent
from openai.types.responses.response_prompt_param import ResponsePromptParam

from demo_model.history import turns
from demo_model.plan import next_reply
from demo_model.response_stream import ReplyStream

NAME = "demo"
CHARACTERS_PER_TOKEN = 4


class DemoModel(Model):
    """Understands plain requests by rules and calls the note tools; says what it is where no rule applies.

    It holds no state: each reply follows from the conversation alone, so any worker can continue a run of another.
    """

    def __init__(self, token_delay_ms: int = 25) -> None:
        self._token_delay = token_delay_ms / 1000

    async def get_response(  # noqa: PLR0917 (the SDK's signature)
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 (the SDK's name)
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> ModelResponse:
        async for event in self._stream(system_instructions, input, tools).events():
            if isinstance(event, ResponseCompletedEvent):
                usage = event.response.usage
                assert usage is not None
                return ModelResponse(
                    output=event.response.output,
                    usage=Usage(
                        requests=1,
                        input_tokens=usage.input_tokens,
                        output_tokens=usage.output_tokens,
                        total_tokens=usage.total_tokens,
                    ),
                    response_id=None,
                )
        raise AssertionError("a reply always completes")

    def stream_response(  # noqa: PLR0917 (the SDK's signature)
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002 (the SDK's name)
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,
        handoffs: list[Handoff],
        tracing: ModelTracing,
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,
    ) -> AsyncIterator[TResponseStreamEvent]:
        return self._stream(system_instructions, input, tools).events()

    def _stream(self, instructions: str | None, items: Any, tools: list[Tool]) -> ReplyStream:
        reply = next_reply(instructions or "", turns(items), {tool.name for tool in tools})
        return ReplyStream(
            reply,
            model=NAME,
            input_tokens=(len(instructions or "") + len(str(items))) // CHARACTERS_PER_TOKEN,
            token_delay=self._token_delay,
        )
