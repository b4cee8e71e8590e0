"""Builds one response of a model: calls the listener as it streams, and makes the SDK's form of it at the end.

Both wire formats are decoded into this. Invariant: the listener and the SDK get well-formed data, whatever the server
sends: calls have unique ids and one JSON object each, reasoning is reported once and is not text, and an incomplete or
empty response is a `ModelFailed` and never a response.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, cast

from agents.models.fake_id import FAKE_RESPONSES_ID
from openai.types.responses import (
    Response,
    ResponseFunctionToolCall,
    ResponseOutputItem,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseReasoningItem,
    ResponseUsage,
)
from openai.types.responses.response import IncompleteDetails
from openai.types.responses.response_reasoning_item import Summary
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

from agent_service.call_arguments import normalized_arguments
from agent_service.errors import ModelFailed
from agent_service.models.wire import provider_errors
from agent_service.models.wire.listener import Listener
from agent_service.models.wire.tagged_text import TaggedText
from agent_service.models.wire.text_calls import TextCall
from agent_service.models.wire.tool_calls import StreamedCall, ToolCallAssembler
from agent_service.repository.values import plain_text

MAX_FINISH_REASON = 40
_LENGTH = {"length", "max_tokens", "max_output_tokens", "model_length", "token_limit"}
_FILTERED = {"content_filter", "safety", "recitation", "prohibited_content", "blocklist", "spii", "sensitive"}
_FAILED = {"error", "abort", "aborted", "network_error", "malformed_function_call", "insufficient_system_resource"}
_DONE = {"", "null", "stop", "end_turn", "eos", "eos_token", "completed", "tool_calls", "function_call"}


@dataclass(frozen=True)
class FinishedResponse:
    """`response` in the SDK's form. `finish_reason`: `stop`, `length`, `content_filter`, or else the server's own
    value."""

    response: Response
    finish_reason: str


@dataclass(frozen=True)
class MessageStart:
    """The beginning of a message: its id at the server, and the number of text parts before it."""

    item_id: str
    at: int


class ResponseBuilder:
    """Collects what a decoder reads.

    `has_ended`: the server has signalled the end. `order`: the order of items
    in the Responses format, which accepts reasoning only together with the item that followed it.
    """

    def __init__(self, listener: Listener, provider: str, tools: Collection[str], *, accepts_text_calls: bool) -> None:
        """`provider`: the server's name, as in `WireClient.provider`. `tools`: the names of the offered tools.
        `accepts_text_calls`: whether a call written as text is a call."""
        self.calls = ToolCallAssembler(listener, tools)
        self._usage: dict[str, Any] = {}
        self.has_ended = False
        self.finish_reason: str | None = None
        self.reasoning_details: list[dict[str, Any]] = []
        self.order: list[ResponseReasoningItem | MessageStart | StreamedCall] = []
        self._listener = listener
        self._provider = provider
        self._tagged = TaggedText(
            listener.text, self._tagged_reasoning, self._text_call, tools if accepts_text_calls else ()
        )
        self._reasoning: list[str] = []
        self._reasoning_size = 0
        self._reasoning_field: str | None = None
        self.text = self._tagged.feed
        """Handles the next part of the text."""

    @property
    def progress(self) -> tuple[int, int, int]:
        """Changes whenever content is received, as opposed to keep-alives."""
        return len(self._tagged.parts), self._reasoning_size, self.calls.size

    @property
    def is_over(self) -> bool:
        """Whether the response is complete; its usage may still follow."""
        return self.has_ended or self.finish_reason is not None

    @property
    def has_text(self) -> bool:
        return bool(self._tagged.parts)

    @property
    def has_reasoning(self) -> bool:
        return bool(self._reasoning)

    def count(self, usage: Any) -> None:
        """Takes what the server says of the usage, with the names of either format. The newest counts."""
        if isinstance(usage, dict) and usage:
            self._usage = cast(dict[str, Any], usage)
            counted = _usage(self._usage)
            self._listener.counted(counted.input_tokens, counted.output_tokens)

    def begin_message(self, item_id: str) -> None:
        self.order.append(MessageStart(item_id, len(self._tagged.parts)))

    def reasoning(self, source: str, text: str) -> None:
        """`source`: the field that contained it. Reasoning that a server sends in two fields, or repeats, is reported
        once."""
        if not text or (self._reasoning_field or source) != source:
            return
        if len(text) == self._reasoning_size and len(self._reasoning) > 1 and text == "".join(self._reasoning):
            return
        self._reasoning_field = source
        self._reasoning.append(text)
        self._reasoning_size += len(text)
        self._listener.reasoning(text)

    def _tagged_reasoning(self, text: str) -> None:
        self.reasoning("tags", text)

    def _text_call(self, call: TextCall) -> None:
        begun = self.calls.begin("", call.name)
        begun.is_from_text = True
        self.calls.grow(begun, call.arguments)

    def complete(self, model: str) -> FinishedResponse:
        """The complete response. Raises `ModelFailed` if it is incomplete or empty."""
        self._tagged.close()
        reason = _canonical(self.finish_reason)
        if reason == "error":
            raise ModelFailed("model_unavailable", provider_errors.STOPPED, retryable=True)
        if not self.is_over:
            raise ModelFailed("model_unavailable", provider_errors.CUT, retryable=True)
        calls = self.calls.close()
        if not calls and not "".join(self._tagged.parts).strip():
            raise _nothing(reason)
        output = self._output(calls)
        if reason != "stop" and isinstance(last := output[-1], ResponseOutputMessage):
            output[-1] = ResponseOutputMessage.model_validate(
                last.model_dump(exclude_unset=True) | {"provider_data": {"finish_reason": reason}}
            )
        return FinishedResponse(_response(model, output, reason, self._usage), reason)

    def _output(self, calls: list[StreamedCall]) -> list[ResponseOutputItem]:
        """Messages before calls, so that nothing is between a call and its output; reasoning stays with the item that
        followed it."""
        messages: list[ResponseOutputItem] = []
        made: list[ResponseOutputItem] = []
        before: list[ResponseOutputItem] = []
        order = self.order or self._plain_order(calls)
        starts = [entry for entry in order if isinstance(entry, MessageStart)]
        ends = {start: following.at for start, following in pairwise(starts)}
        if not starts and self.has_text:
            messages += self._message(FAKE_RESPONSES_ID, 0, None)
        for entry in (*order, *(call for call in calls if call not in order)):
            match entry:
                case StreamedCall():
                    made += [*before, self._call_item(entry)]
                case MessageStart():
                    begin = 0 if entry is starts[0] else entry.at
                    messages += [*before, *self._message(entry.item_id, begin, ends.get(entry))]
                case _:
                    before.append(entry)
                    continue
            before = []
        return [*messages, *made, *before]

    def _plain_order(self, calls: list[StreamedCall]) -> list[ResponseReasoningItem | MessageStart | StreamedCall]:
        """Reasoning is sent back only with the calls that followed it."""
        message = [MessageStart(FAKE_RESPONSES_ID, 0)] if self.has_text else []
        if not calls or not (self._reasoning or self.reasoning_details):
            return [*message, *calls]
        text = plain_text("".join(self._reasoning))
        data = {"provider": self._provider, "field": self._reasoning_field, "details": self.reasoning_details}
        item = {
            "id": FAKE_RESPONSES_ID,
            "type": "reasoning",
            "summary": [Summary(type="summary_text", text=text)] if text else [],
            "provider_data": {name: value for name, value in data.items() if value},
        }
        return [ResponseReasoningItem.model_validate(item), *message, *calls]

    def _message(self, item_id: str, begin: int, end: int | None) -> list[ResponseOutputItem]:
        text = plain_text("".join(self._tagged.parts[begin:end]))
        if not text.strip():
            return []
        part = ResponseOutputText(type="output_text", text=text, annotations=[], logprobs=[])
        return [ResponseOutputMessage(id=item_id, type="message", role="assistant", status="completed", content=[part])]

    def _call_item(self, call: StreamedCall) -> ResponseFunctionToolCall:
        arguments = normalized_arguments(call.arguments)
        data = {
            "provider": self._provider,
            "call_id": plain_text(call.server_id),
            "extra": call.extra,
            "arguments": call.arguments if arguments is None else None,
            "from_text": call.is_from_text,
        }
        item = {
            "id": call.item_id or FAKE_RESPONSES_ID,
            "type": "function_call",
            "call_id": call.call_id,
            "name": call.name,
            "arguments": "{}" if arguments is None else arguments,
            "status": "completed",
            "provider_data": {name: value for name, value in data.items() if value},
        }
        return ResponseFunctionToolCall.model_validate(item)


def _canonical(reason: str | None) -> str:
    """Maps the servers' different finish reasons to common ones."""
    word = (reason or "").strip().lower()
    for words, canonical in ((_DONE, "stop"), (_LENGTH, "length"), (_FILTERED, "content_filter"), (_FAILED, "error")):
        if word in words:
            return canonical
    return plain_text(word)[:MAX_FINISH_REASON]


def _nothing(reason: str) -> ModelFailed:
    if reason == "content_filter":
        return ModelFailed("model_rejected", provider_errors.FILTERED, retryable=False, reason="moderated")
    if reason == "length":
        return ModelFailed("model_rejected", provider_errors.USED_UP, retryable=False)
    return ModelFailed("model_unavailable", provider_errors.EMPTY, retryable=True)


def _response(model: str, output: list[ResponseOutputItem], reason: str, usage: dict[str, Any]) -> Response:
    incomplete: dict[str, Literal["max_output_tokens", "content_filter"]] = {
        "length": "max_output_tokens",
        "content_filter": "content_filter",
    }
    why = incomplete.get(reason)
    return Response(
        id=FAKE_RESPONSES_ID,
        created_at=time.time(),
        model=model,
        object="response",
        output=output,
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        status="incomplete" if why else "completed",
        incomplete_details=IncompleteDetails(reason=why) if why else None,
        usage=_usage(usage),
    )


def _usage(usage: dict[str, Any]) -> ResponseUsage:
    """From the names of either format; missing or invalid numbers are 0."""
    read, written = _count(usage, "input_tokens", "prompt_tokens"), _count(usage, "output_tokens", "completion_tokens")
    read_details = _fields(usage, "input_tokens_details", "prompt_tokens_details")
    written_details = _fields(usage, "output_tokens_details", "completion_tokens_details")
    cached, thought = _count(read_details, "cached_tokens"), _count(written_details, "reasoning_tokens")
    return ResponseUsage(
        input_tokens=read,
        input_tokens_details=InputTokensDetails(cached_tokens=cached, cache_write_tokens=0),
        output_tokens=written,
        output_tokens_details=OutputTokensDetails(reasoning_tokens=thought),
        total_tokens=read + written,
    )


def _count(fields: dict[str, Any], *names: str) -> int:
    for name in names:
        value = fields.get(name)
        if isinstance(value, int | float) and 0 <= value < 2**31:
            return int(value)
    return 0


def _fields(usage: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        if isinstance(value := usage.get(name), dict):
            return cast(dict[str, Any], value)
    return {}
