"""What PostgreSQL and UTF-8 refuse, made into what they take. Models write what they like."""

import json
from typing import Any

import orjson


def json_text(value: Any) -> str:
    """JSON. Halves of a character that came in two pieces are joined; one that stayed alone becomes `?`."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        joined = json.loads(json.dumps(value))
        return json.dumps(joined, ensure_ascii=False).encode("utf-8", "replace").decode()


def plain_text(text: str) -> str:
    """Text without NUL, and with whole characters only."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\x00", "")


def parsed_or_text(arguments: str) -> Any:
    """A call's arguments as JSON, or as the text the model sent where that is none."""
    try:
        return orjson.loads(arguments)
    except ValueError:
        return arguments
