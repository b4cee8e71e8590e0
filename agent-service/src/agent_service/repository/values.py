"""Converts text that PostgreSQL and UTF-8 refuse into text that they accept. Models may send anything."""

import json
from collections.abc import Iterable
from typing import Any, cast

import orjson

MAX_DEPTH = 64
"""Levels of lists and objects in a call's arguments: the SDK and pydantic walk them recursively, and fail on deeper
ones."""


def json_text(value: Any) -> str:
    """JSON that every reader takes. The two surrogates of one character are joined; a lone surrogate becomes `?`. NaN
    and infinities become null, and an integer that no reader has room for becomes text."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        joined = json.loads(json.dumps(value), parse_constant=lambda _: None, parse_int=_int_or_text)
        return json.dumps(joined, ensure_ascii=False).encode("utf-8", "replace").decode()


def _int_or_text(digits: str) -> int | str:
    number = int(digits)
    return number if -(2**63) <= number < 2**64 else digits


def plain_text(text: str) -> str:
    """Text without NUL characters and lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "")


def parsed_or_text(arguments: str) -> Any:
    """A call's arguments: parsed if they are JSON of at most `MAX_DEPTH` levels, else the text that the model sent."""
    try:
        value = orjson.loads(arguments)
    except ValueError:
        return arguments
    return arguments if is_too_deep(value) else value


def is_too_deep(value: Any) -> bool:
    """Whether a JSON value has more than `MAX_DEPTH` levels; found level by level, without recursion."""
    level: list[Any] = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return cast(dict[str, Any], value).values()
    return cast(list[Any], value) if isinstance(value, list) else ()
