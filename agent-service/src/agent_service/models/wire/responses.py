"""Decodes OpenAI's Responses, and other servers' variants of it, into a `ResponseBuilder`."""

from typing import Any, cast

from agents.models.fake_id import FAKE_RESPONSES_ID
from openai.types.responses import ResponseReasoningItem
from pydantic import ValidationError

from agent_service.errors import ModelFailed
from agent_service.models.wire.provider_errors import NOT_A_SERVER, failure
from agent_service.models.wire.response_builder import ResponseBuilder
from agent_service.models.wire.tool_calls import StreamedCall, arguments_text

_SUMMARY = "response.reasoning_summary_text.delta"
_BEGINNINGS = ("response.created", "response.queued", "response.in_progress")
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.done")


class ResponsesDecoder:
    """Uses the deltas if there are any, else the items, else the complete response at the end."""

    def __init__(self, builder: ResponseBuilder) -> None:
        self.builder = builder
        self._calls: dict[str, StreamedCall] = {}
        self._has_text = False
        self._summaries = 0

    def event(self, event: dict[str, Any], name: str) -> None:
        kind = event.get("type") or name
        if kind in ("response.output_text.delta", "response.refusal.delta"):
            if isinstance(text := event.get("delta"), str) and text:
                self._has_text = True
                self.builder.text(text)
        elif kind == "response.function_call_arguments.delta":
            self._arguments(event, arguments_text(event.get("delta")))
        elif kind == "response.function_call_arguments.done":
            self._all_arguments(self._call_of(event, {}), event.get("arguments"))
        elif kind in (_SUMMARY, "response.reasoning_text.delta", "response.reasoning.delta"):
            self.builder.reasoning(str(kind), _string(event.get("delta")))
        elif kind == "response.reasoning_summary_part.added":
            self._summaries += 1
            if self._summaries > 1:
                self.builder.reasoning(_SUMMARY, "\n\n")
        elif kind == "response.output_item.added":
            self._item_begins(event, event.get("item"))
        elif kind == "response.output_item.done":
            self._item_ends(event, event.get("item"))
        elif kind in _BEGINNINGS:
            self._begin(event.get("response"))
        elif kind in _ENDS:
            self._end(event.get("response"), str(kind))
        elif kind in ("error", "response.error") or event.get("error"):
            raise failure(None, event)

    def document(self, document: dict[str, Any]) -> None:
        self.builder.count(document.get("usage"))
        if document.get("error"):
            raise failure(None, document)
        if not isinstance(document.get("output"), list):
            raise ModelFailed("model_rejected", NOT_A_SERVER, retryable=False)
        self._end(document, "")

    def _item_begins(self, event: dict[str, Any], item: Any) -> None:
        if not isinstance(item, dict):
            return
        fields = cast(dict[str, Any], item)
        if fields.get("type") == "message":
            self.builder.begin_message(_string(fields.get("id")) or FAKE_RESPONSES_ID)
        elif fields.get("type") == "function_call":
            self._call_begins(event, fields)

    def _call_begins(self, event: dict[str, Any], item: dict[str, Any]) -> None:
        """Every item is a separate call, even if the server repeats or omits ids."""
        call = self.builder.calls.begin(_string(item.get("call_id")), _string(item.get("name")))
        call.item_id = _string(item.get("id"))
        self._calls |= dict.fromkeys(_keys(event, item), call)
        self.builder.order.append(call)
        self.builder.calls.grow(call, arguments_text(item.get("arguments")))

    def _item_ends(self, event: dict[str, Any], item: Any) -> None:
        if not isinstance(item, dict):
            return
        fields = cast(dict[str, Any], item)
        if fields.get("type") == "function_call":
            call = self._call_of(event, fields)
            if call is None:
                self._call_begins(event, fields)
            else:
                call.raw_name = call.raw_name or _string(fields.get("name"))
                self._all_arguments(call, fields.get("arguments"))
            for key in _keys(event, fields):
                self._calls.pop(key, None)
        elif fields.get("type") == "reasoning":
            self._reasoning_item(fields)
        elif fields.get("type") == "message" and not self._has_text:
            self._message(fields)

    def _call_of(self, event: dict[str, Any], item: dict[str, Any]) -> StreamedCall | None:
        return next((self._calls[key] for key in _keys(event, item) if key in self._calls), None)

    def _arguments(self, event: dict[str, Any], delta: str) -> None:
        call = self._call_of(event, {}) or next(reversed(self._calls.values()), None)
        if call is not None:
            self.builder.calls.grow(call, delta)

    def _all_arguments(self, call: StreamedCall | None, arguments: Any) -> None:
        """Adds the part of the complete arguments that was missing in the deltas."""
        whole = arguments_text(arguments)
        if call is not None and whole.startswith(sent := "".join(call.parts)):
            self.builder.calls.grow(call, whole.removeprefix(sent))

    def _message(self, item: dict[str, Any]) -> None:
        content = item.get("content")
        for part in cast(list[Any], content) if isinstance(content, list) else [{"text": content}]:
            if isinstance(part, dict):
                fields = cast(dict[str, Any], part)
                if isinstance(text := fields.get("text") or fields.get("refusal"), str) and text:
                    self._has_text = True
                    self.builder.text(text)

    def _reasoning_item(self, item: dict[str, Any]) -> None:
        """Stored unchanged, because it is sent back: the server finds it by its id, or decrypts its content."""
        if not self.builder.has_reasoning:
            for part in cast(list[Any], item.get("summary") or item.get("content") or []):
                if isinstance(part, dict):
                    self.builder.reasoning("item", _string(cast(dict[str, Any], part).get("text")))
        try:
            self.builder.order.append(ResponseReasoningItem.model_validate({"summary": [], **item}))
        except ValidationError:
            return

    def _begin(self, response: Any) -> None:
        """Some servers count the input before they answer."""
        if isinstance(response, dict):
            self.builder.count(cast(dict[str, Any], response).get("usage"))

    def _end(self, response: Any, kind: str) -> None:
        fields = cast(dict[str, Any], response) if isinstance(response, dict) else {}
        status = fields.get("status")
        self.builder.count(fields.get("usage"))
        if kind == "response.failed" or status == "failed":
            raise failure(None, fields.get("error") or {"message": "server_error"})
        output = fields.get("output")
        if isinstance(output, list):
            self._read_output(cast(list[Any], output))
        self.builder.has_ended = True
        self.builder.finish_reason = "stop"
        if kind == "response.incomplete" or status == "incomplete":
            details = fields.get("incomplete_details")
            reason = cast(dict[str, Any], details).get("reason") if isinstance(details, dict) else None
            self.builder.finish_reason = _string(reason) or "length"

    def _read_output(self, output: list[Any]) -> None:
        """For servers that send their items only here."""
        has_text, has_calls, has_order = self._has_text, bool(self.builder.calls), bool(self.builder.order)
        for item in output:
            fields = cast(dict[str, Any], item) if isinstance(item, dict) else {}
            kind = fields.get("type")
            if kind == "message" and not has_text:
                self.builder.begin_message(_string(fields.get("id")) or FAKE_RESPONSES_ID)
                self._message(fields)
            elif kind == "function_call" and not has_calls:
                self._call_begins({}, fields)
            elif kind == "reasoning" and not has_order:
                self._reasoning_item(fields)


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _keys(event: dict[str, Any], item: dict[str, Any]) -> list[str]:
    """The keys by which later events refer to an item: its id, and its index."""
    item_id, place = _string(event.get("item_id")) or _string(item.get("id")), event.get("output_index")
    return [key for key in (f"id {item_id}" if item_id else "", f"at {place}" if place is not None else "") if key]
