"""Converts text that PostgreSQL and UTF-8 refuse into text that they accept. Models may send anything."""

import json
from typing import Any

import orjson


def json_text(value: Any) -> str:
    """JSON. The two surrogates of one character are joined; a lone surrogate becomes `?`."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        joined = json.loads(json.dumps(value))
        return json.dumps(joined, ensure_ascii=False).encode("utf-8", "replace").decode()


def plain_text(text: str) -> str:
    """Text without NUL characters and lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "")


def parsed_or_text(arguments: str) -> Any:
    """A call's arguments: parsed if they are JSON, else the text that the model sent."""
    try:
        return orjson.loads(arguments)
    except ValueError:
        return arguments
