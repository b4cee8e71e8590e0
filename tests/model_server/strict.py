"""The reasons why a strict provider would refuse a request."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.model_server.http import Request

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MESSAGE = frozenset({"role", "content", "tool_calls", "tool_call_id", "name"})


def complaints(request: Request, *, allowed: frozenset[str] = frozenset()) -> list[str]:
    """Empty if every provider would accept the conversation. `allowed`: fields of messages that this server has sent
    itself, and accepts."""
    found = [*_calls_of_chat(request.json, _MESSAGE | allowed), *_calls_of_responses(request.json)]
    text = json.dumps(request.json)
    if re.search(r"\\ud[89ab][0-9a-f]{2}(?!\\ud[c-f])", text):
        found.append("half a character")
    return found


def _calls_of_chat(body: dict[str, Any], fields: frozenset[str]) -> Iterator[str]:
    waiting: list[str] = []
    for message in body.get("messages", []):
        if unknown := message.keys() - fields:
            yield f"unknown fields {unknown}"
        if message["role"] == "tool":
            if not waiting or message["tool_call_id"] != waiting.pop(0):
                yield f"an output of no call: {message}"
            if not isinstance(message["content"], str):
                yield f"an output that is no text: {message}"
            continue
        if waiting:
            yield f"calls without output before {message}"
        calls = message.get("tool_calls", [])
        if not message["content"] and not calls:
            yield f"an empty message: {message}"
        waiting = [call["id"] for call in calls]
        if len(set(waiting)) < len(waiting):
            yield f"one id twice: {waiting}"
        for call in calls:
            yield from _function(call["id"], call["function"]["name"], call["function"]["arguments"])
    if waiting:
        yield f"calls without output at the end: {waiting}"


def _calls_of_responses(body: dict[str, Any]) -> Iterator[str]:
    made: list[str] = []
    answered: list[str] = []
    items = body.get("input", [])
    for place, item in enumerate(items):
        kind = item.get("type", "message")
        if "provider_data" in item:
            yield f"an unknown field in {item}"
        if kind == "message" and made != answered:
            yield f"a message between a call and its output: {item}"
        elif kind == "function_call":
            made.append(item["call_id"])
            yield from _function(item["call_id"], item["name"], item["arguments"])
        elif kind == "function_call_output":
            answered.append(item["call_id"])
        elif kind == "reasoning" and (
            place + 1 == len(items) or items[place + 1].get("type") == "function_call_output"
        ):
            yield f"reasoning that led to nothing: {item}"
    if made != answered:
        yield f"calls {made} and outputs {answered}"
    if len(set(made)) < len(made):
        yield f"one id twice: {made}"


def _function(call_id: Any, name: Any, arguments: Any) -> Iterator[str]:
    if not isinstance(call_id, str) or not call_id:
        yield f"no id: {call_id!r}"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        yield f"no name: {name!r}"
    try:
        if not isinstance(json.loads(arguments), dict):
            yield f"arguments that are no object: {arguments!r}"
    except (TypeError, ValueError, RecursionError):
        yield f"arguments that are no JSON: {arguments!r}"
