"""Decodes OpenAI's Chat Completions, and other servers' variants of it, into a `ResponseBuilder`."""

from typing import Any, cast

from agent_service.errors import ModelFailed
from agent_service.models.wire.provider_errors import NOT_A_SERVER, failure
from agent_service.models.wire.response_builder import ResponseBuilder

_PLAIN = {"content", "role"}
_FIRST = (None, 0, "0", "")
"""A response has one choice; its index may be missing."""
_REASONING = ("reasoning_content", "reasoning", "thinking")
_THOUGHT_PARTS = ("thinking", "reasoning", "thought")


class ChatCompletionsDecoder:
    def __init__(self, builder: ResponseBuilder) -> None:
        self.builder = builder

    def event(self, event: dict[str, Any], name: str) -> None:
        """Handles a chunk. Nearly all chunks contain only text, for which there is a fast path."""
        text = _plain_text(event)
        if text is None:
            self._chunk(event, name)
        elif text:
            self.builder.text(text)

    def document(self, document: dict[str, Any]) -> None:
        self._chunk(document, "")
        if "choices" not in document:
            raise ModelFailed("model_rejected", NOT_A_SERVER, retryable=False)

    def _chunk(self, chunk: dict[str, Any], name: str) -> None:
        self.builder.count(chunk.get("usage"))
        if error := chunk.get("error"):
            raise failure(None, {"error": error} | _status(chunk))
        choices = chunk.get("choices")
        if name == "error" or (choices is None and _looks_like_error(chunk)):
            raise failure(None, chunk)
        for choice in cast(list[Any], choices) if isinstance(choices, list) else []:
            if isinstance(choice, dict) and cast(dict[str, Any], choice).get("index") in _FIRST:
                self._choice(cast(dict[str, Any], choice))

    def _choice(self, choice: dict[str, Any]) -> None:
        if error := choice.get("error"):
            raise failure(None, error)
        delta = choice.get("delta") or choice.get("message")
        if isinstance(delta, dict):
            self._delta(cast(dict[str, Any], delta))
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason and reason != "null":
            self.builder.finish_reason = reason

    def _delta(self, delta: dict[str, Any]) -> None:
        builder = self.builder
        for field in _REASONING:
            if isinstance(text := delta.get(field), str):
                builder.reasoning(field, text)
        self._details(delta.get("reasoning_details"))
        self._content(delta.get("content"))
        if isinstance(refusal := delta.get("refusal"), str) and refusal:
            builder.text(refusal)
        calls = delta.get("tool_calls")
        if not calls:
            builder.calls.add(delta.get("function_call"))  # the form before `tool_calls`
        for part in cast(list[Any], calls) if isinstance(calls, list) else [calls]:
            builder.calls.add(part)

    def _content(self, content: Any) -> None:
        """Text, or a list of parts: text and reasoning."""
        if isinstance(content, str):
            if content:
                self.builder.text(content)
        elif isinstance(content, list):
            for part in cast(list[Any], content):
                self._part(part)

    def _part(self, part: Any) -> None:
        if isinstance(part, str):
            self._content(part)
        elif isinstance(part, dict):
            fields = cast(dict[str, Any], part)
            for field in _THOUGHT_PARTS:
                if field in fields:
                    self.builder.reasoning("content", _joined(fields[field]))
                    return
            if isinstance(text := fields.get("text") or fields.get("refusal"), str):
                kind = str(fields.get("type"))
                self.builder.reasoning("content", text) if kind in _THOUGHT_PARTS else self._content(text)

    def _details(self, details: Any) -> None:
        """OpenRouter's form of reasoning, which has to be sent back unchanged: streamed parts of one text are joined,
        as in a response without streaming."""
        for detail in cast(list[Any], details) if isinstance(details, list) else []:
            if not isinstance(detail, dict):
                continue
            fields = cast(dict[str, Any], detail)
            self.builder.reasoning("reasoning_details", _joined(fields.get("text") or fields.get("summary")))
            stored = self.builder.reasoning_details
            last = stored[-1] if stored else {}
            if last and all(last.get(name) == fields.get(name) for name in ("type", "index", "id")):
                for name, value in fields.items():
                    if name in ("text", "summary", "data") and isinstance(value, str):
                        last[name] = (last.get(name) or "") + value
                    elif value is not None:
                        last[name] = value
            else:
                stored.append(dict(fields))


def _plain_text(event: dict[str, Any]) -> str | None:
    """The text of a chunk that contains nothing else; None for any other chunk."""
    try:
        (choice,) = event["choices"]
        delta = choice["delta"]
        text = delta["content"]
        is_plain = (
            type(text) is str
            and delta.keys() <= _PLAIN
            and not choice["finish_reason"]
            and choice["index"] == 0
            and not event.get("usage")
            and "error" not in event
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return text if is_plain else None


def _joined(value: Any) -> str:
    """Text, or the text of parts."""
    if isinstance(value, list):
        return "".join(_joined(part) for part in cast(list[Any], value))
    if isinstance(value, dict):
        return _joined(cast(dict[str, Any], value).get("text"))
    return value if isinstance(value, str) else ""


def _status(chunk: dict[str, Any]) -> dict[str, Any]:
    return {name: chunk[name] for name in ("code", "status", "status_code") if name in chunk}


def _looks_like_error(chunk: dict[str, Any]) -> bool:
    return chunk.get("object") == "error" or "detail" in chunk or ("message" in chunk and "id" not in chunk)
