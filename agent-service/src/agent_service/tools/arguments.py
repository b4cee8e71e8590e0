"""Parses the arguments of a call leniently: small models fill in every argument, and write numbers and lists as text.
Other errors are refused, with what the model needs to correct them."""

from functools import cache
from typing import Any, TypeVar, get_args, get_origin

from pydantic import ValidationError

from agent_service.call_arguments import parse_arguments, parse_json
from contracts.errors import ValidationFailed
from contracts.tools import Tool, ToolArguments

NO_OBJECT = "The arguments must be one JSON object. These are none, or were cut off: {given}"
MAX_QUOTED = 200
ArgumentsT = TypeVar("ArgumentsT", bound=ToolArguments)


def read_arguments(tool: Tool[ArgumentsT], text: str) -> ArgumentsT:
    """Raises `ValidationFailed` if the text is not a JSON object, and pydantic's `ValidationError` if that is invalid.

    An optional argument that is null or empty counts as omitted, unless the call would do nothing without it: then an
    empty text is intended and removes the current one.
    """
    given = parse_arguments(text)
    if given is None:
        message = NO_OBJECT.format(given=text[:MAX_QUOTED])
        raise ValidationFailed(message, errors=[{"field": "", "message": message}])
    optional, lists = _optional_arguments(tool.arguments), _list_arguments(tool.arguments)
    named = {
        name: _as_list(value) if name in lists and isinstance(value, str) else value
        for name, value in given.items()
        if not (value is None and name in optional)
    }
    filled = {name: value for name, value in named.items() if name not in optional or value not in ("", [""])}
    try:
        return tool.arguments.model_validate(filled)
    except ValidationError as error:
        try:
            return tool.arguments.model_validate(named)
        except ValidationError:
            raise error from None


@cache
def _optional_arguments(arguments: type[ToolArguments]) -> frozenset[str]:
    return frozenset(name for name, field in arguments.model_fields.items() if not field.is_required())


@cache
def _list_arguments(arguments: type[ToolArguments]) -> frozenset[str]:
    return frozenset(name for name, field in arguments.model_fields.items() if _is_list(field.annotation))


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(_is_list(inner) for inner in get_args(annotation))


def _as_list(text: str) -> list[Any] | str:
    """A list that was written as JSON, or with commas."""
    try:
        value = parse_json(text)
    except ValueError:
        value = None
    if isinstance(value, list):
        return value  # pyright: ignore[reportUnknownVariableType]
    return [part for one in text.split(",") if (part := one.strip())] or ""
