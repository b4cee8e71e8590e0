"""The conversation so far, read from the SDK's input items: what the user wrote, which tools ran and their results."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from agents.items import TResponseInputItem

from demo_model.reply import ToolCall


@dataclass(frozen=True)
class Result:
    """What a tool returned. `error` is None if the call succeeded; `stale`: the note had changed since it was read;
    `unread`: the note must be read before it is changed."""

    data: dict[str, Any] = field(default_factory=dict[str, Any])
    error: str | None = None
    stale: bool = False
    unread: bool = False

    @classmethod
    def read(cls, output: object) -> "Result":
        """Tools return JSON objects; any other output is a message that says why the tool did not run."""
        text = _text_of(output)
        try:
            value: object = json.loads(text)
        except ValueError:
            return cls(error=text.strip() or "the tool gave no answer")
        if not isinstance(value, dict):
            return cls(error=text.strip())
        data = cast(dict[str, Any], value)
        if "error" in data:
            code = _code(data["error"])
            return cls(error=_error_message(data["error"]), stale=code == "version_conflict", unread=code == "not_read")
        return cls(data)

    def objects(self, key: str) -> list[dict[str, Any]]:
        """The list under `key`, without elements that are no objects."""
        found: object = self.data.get(key)
        items = cast(list[object], found) if isinstance(found, list) else []
        return [cast(dict[str, Any], item) for item in items if isinstance(item, dict)]

    def strings(self, key: str) -> list[str]:
        """The list under `key`, without elements that are no strings."""
        found: object = self.data.get(key)
        return [item for item in cast(list[object], found) if isinstance(item, str)] if isinstance(found, list) else []


@dataclass
class Turn:
    """A message of the user and the tool calls made for it, each with its result once there is one."""

    text: str
    calls: list[tuple[ToolCall, Result | None]] = field(default_factory=list[tuple[ToolCall, Result | None]])


def turns(items: str | Iterable[TResponseInputItem]) -> list[Turn]:
    """The turns of a conversation, oldest first. Items other than user messages and tool calls are ignored."""
    if isinstance(items, str):
        return [Turn(items)]
    listed = [cast(Mapping[str, Any], item) for item in items]
    results = {
        str(item.get("call_id")): Result.read(item.get("output"))
        for item in listed
        if item.get("type") == "function_call_output"
    }
    found: list[Turn] = []
    for item in listed:
        if item.get("role") == "user":
            found.append(Turn(_text_of(item.get("content"))))
        elif item.get("type") == "function_call" and found:
            call = ToolCall(str(item.get("name")), _arguments(item.get("arguments")))
            found[-1].calls.append((call, results.get(str(item.get("call_id")))))
    return found


def _text_of(content: object) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return "" if content is None else json.dumps(content, ensure_ascii=False, default=str)
    parts = (cast(Mapping[str, object], part) for part in cast(list[object], content) if isinstance(part, Mapping))
    return "\n".join(str(part["text"]) for part in parts if "text" in part)


def _arguments(text: object) -> dict[str, Any]:
    try:
        value: object = json.loads(str(text))
    except ValueError:
        return {}
    return cast(dict[str, Any], value) if isinstance(value, dict) else {}


def _error_message(error: object) -> str:
    if isinstance(error, Mapping):
        fields = cast(Mapping[str, object], error)
        return str(fields.get("message") or fields.get("code") or "the tool failed")
    return str(error)


def _code(error: object) -> object:
    return cast(Mapping[str, object], error).get("code") if isinstance(error, Mapping) else None
