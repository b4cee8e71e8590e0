"""The arguments of a tool call, as models write them: meant to be a JSON object, and not always one."""

import json
from typing import Any, cast

import orjson

from agent_service.repository.values import is_too_deep, json_text


def parse_json(data: bytes | str) -> Any:
    """JSON, also with halves of characters, control characters and NaN in it. Raises `ValueError`, and nothing else."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        text = data.decode("utf-8", "replace") if isinstance(data, bytes) else data
    try:
        return json.loads(text, strict=False)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def parse_arguments(text: str) -> dict[str, Any] | None:
    """The object that is meant, in whole characters; None where it is none, or nested deeper than `MAX_DEPTH`.

    Nothing, `null`, and an object that was encoded twice are taken for what is meant.
    """
    if not text.strip():
        return {}
    try:
        value = parse_json(text)
        if isinstance(value, str):
            value = parse_json(value)
    except ValueError:
        return None
    if value is None:
        return {}
    if not isinstance(value, dict) or is_too_deep(cast(dict[str, Any], value)):
        return None
    return orjson.loads(json_text(value))


def normalized_arguments(text: str) -> str | None:
    """The arguments as the JSON text of an object, unchanged where they are that already; None where they are none."""
    arguments = parse_arguments(text)
    if arguments is None:
        return None
    try:
        if isinstance(orjson.loads(text), dict):
            return text
    except orjson.JSONDecodeError:
        pass
    return json_text(arguments)


def raw_arguments(item: dict[str, Any]) -> str:
    """A call's arguments as the model wrote them, from an item in the SDK's form: where they are no object, the item
    itself has an empty one, so that the SDK and every provider can read it."""
    data: dict[str, str] = item.get("provider_data") or {}
    return data.get("arguments") or item.get("arguments") or ""
