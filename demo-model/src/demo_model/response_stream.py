"""A reply as the events that the SDK expects of a streaming model: word by word, in the shapes of OpenAI's Responses.

The sequence of events and the placeholder item ids are those of the SDK's own Chat Completions model, so consumers see
nothing here that a real model would not send.
"""

import asyncio
import json
import re
import time
import uuid
from collections.abc import AsyncIterator, Iterator

from agents.items import TResponseStreamEvent
from agents.models.fake_id import FAKE_RESPONSES_ID
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseCreatedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseFunctionToolCall,
    ResponseOutputItem,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseTextDeltaEvent,
    ResponseUsage,
)
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

from demo_model.reply import Reply, ToolCall

ARGUMENTS_DELTA_CHARACTERS = 8
_WORD = re.compile(r"\s*\S+|\s+$")


class ReplyStream:
    """Streams one reply. `token_delay`: seconds between two tokens; with 0 other tasks still run in between."""

    def __init__(self, reply: Reply, *, model: str, input_tokens: int, token_delay: float) -> None:
        self._reply = reply
        self._input_tokens = input_tokens
        self._token_delay = token_delay
        self._output_tokens = 0
        self._events = 0
        self._response = Response(
            id=f"resp_{uuid.uuid4().hex}",
            created_at=time.time(),
            model=model,
            object="response",
            output=[],
            parallel_tool_calls=True,
            tool_choice="auto",
            tools=[],
            status="in_progress",
        )

    async def events(self) -> AsyncIterator[TResponseStreamEvent]:
        yield ResponseCreatedEvent(response=self._response, type="response.created", sequence_number=self._next())
        output: list[ResponseOutputItem] = []
        if self._reply.text:
            message = _message([_text(self._reply.text)], "completed")
            async for event in self._message_events(message, len(output)):
                yield event
            output.append(message)
        for call in self._reply.calls:
            item = _function_call(call)
            async for event in self._call_events(item, len(output)):
                yield event
            output.append(item)
        update = {"output": output, "status": "completed", "usage": self._usage()}
        yield ResponseCompletedEvent(
            response=self._response.model_copy(update=update),
            type="response.completed",
            sequence_number=self._next(),
        )

    async def _message_events(self, item: ResponseOutputMessage, index: int) -> AsyncIterator[TResponseStreamEvent]:
        yield self._added(_message([], "in_progress"), index)
        yield ResponseContentPartAddedEvent(
            content_index=0,
            item_id=item.id,
            output_index=index,
            part=_text(""),
            type="response.content_part.added",
            sequence_number=self._next(),
        )
        for word in words(self._reply.text):
            await self._pause()
            yield ResponseTextDeltaEvent(
                content_index=0,
                delta=word,
                item_id=item.id,
                logprobs=[],
                output_index=index,
                type="response.output_text.delta",
                sequence_number=self._next(),
            )
        yield ResponseContentPartDoneEvent(
            content_index=0,
            item_id=item.id,
            output_index=index,
            part=_text(self._reply.text),
            type="response.content_part.done",
            sequence_number=self._next(),
        )
        yield self._done(item, index)

    async def _call_events(self, item: ResponseFunctionToolCall, index: int) -> AsyncIterator[TResponseStreamEvent]:
        yield self._added(item.model_copy(update={"arguments": "", "status": "in_progress"}), index)
        for start in range(0, len(item.arguments), ARGUMENTS_DELTA_CHARACTERS):
            await self._pause()
            yield ResponseFunctionCallArgumentsDeltaEvent(
                delta=item.arguments[start : start + ARGUMENTS_DELTA_CHARACTERS],
                item_id=FAKE_RESPONSES_ID,
                output_index=index,
                type="response.function_call_arguments.delta",
                sequence_number=self._next(),
            )
        yield ResponseFunctionCallArgumentsDoneEvent(
            arguments=item.arguments,
            item_id=FAKE_RESPONSES_ID,
            output_index=index,
            type="response.function_call_arguments.done",
            sequence_number=self._next(),
        )
        yield self._done(item, index)

    def _added(self, item: ResponseOutputItem, index: int) -> ResponseOutputItemAddedEvent:
        return ResponseOutputItemAddedEvent(
            item=item, output_index=index, type="response.output_item.added", sequence_number=self._next()
        )

    def _done(self, item: ResponseOutputItem, index: int) -> ResponseOutputItemDoneEvent:
        return ResponseOutputItemDoneEvent(
            item=item, output_index=index, type="response.output_item.done", sequence_number=self._next()
        )

    async def _pause(self) -> None:
        self._output_tokens += 1
        await asyncio.sleep(self._token_delay)

    def _next(self) -> int:
        self._events += 1
        return self._events - 1

    def _usage(self) -> ResponseUsage:
        return ResponseUsage(
            input_tokens=self._input_tokens,
            input_tokens_details=InputTokensDetails(cached_tokens=0, cache_write_tokens=0),
            output_tokens=self._output_tokens,
            output_tokens_details=OutputTokensDetails(reasoning_tokens=0),
            total_tokens=self._input_tokens + self._output_tokens,
        )


def words(text: str) -> Iterator[str]:
    """The words of the text, each with the blanks before it; joined they are the text again."""
    return (match.group() for match in _WORD.finditer(text))


def _message(content: list[ResponseOutputText], status: str) -> ResponseOutputMessage:
    return ResponseOutputMessage.model_validate(
        {"id": FAKE_RESPONSES_ID, "content": content, "role": "assistant", "status": status, "type": "message"}
    )


def _text(text: str) -> ResponseOutputText:
    return ResponseOutputText(annotations=[], logprobs=[], text=text, type="output_text")


def _function_call(call: ToolCall) -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(
        id=FAKE_RESPONSES_ID,
        call_id=f"call_{uuid.uuid4().hex}",
        name=call.name,
        arguments=json.dumps(call.arguments, ensure_ascii=False),
        type="function_call",
        status="completed",
    )
