"""The properties of a note: what its front matter has beside the fields that Inkstream itself knows."""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, GetCoreSchemaHandler, JsonValue
from pydantic_core import core_schema, to_json

PROPERTIES_MAX = 100
PROPERTY_NAME_MAX_CHARACTERS = 200
PROPERTIES_MAX_BYTES = 16 * 1024
"""Of all names and values of a note, as JSON in UTF-8."""
PROPERTY_MAX_DEPTH = 8
"""Lists and objects inside each other, in one value."""
INTEGER_MAX = 2**53 - 1
"""JavaScript rounds larger ones."""
ALIAS_NAMES = ("aliases", "alias")
RESERVED_PREFIX = "inkstream_"
"""In front matter it names a note's own field where a property has the field's name."""


class Properties(dict[str, JsonValue]):
    """The values by name, in the order of the front matter. A date is text, as in YAML.

    Two are equal if they are the same as JSON: in the same order, and `1` is not `true`.
    """

    def __eq__(self, other: object) -> bool:
        return isinstance(other, dict) and to_json(self) == to_json(other)

    def __ne__(self, other: object) -> bool:
        return not self == other  # that of `dict` ignores the order

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(cls, handler(dict[str, JsonValue]))

    def texts(self) -> Iterator[str]:
        """All texts and numbers in the values, without the names."""
        for part, _ in (found for value in self.values() for found in _parts(value, 0)):
            if isinstance(part, str | int | float) and not isinstance(part, bool):
                yield str(part)

    @property
    def aliases(self) -> list[str]:
        """Other names of the note: the texts of the property `aliases` or `alias`, each once."""
        values = (value for name, value in self.items() if name.casefold() in ALIAS_NAMES)
        return list(dict.fromkeys(alias for value in values for alias in _texts(value)))


def _texts(value: JsonValue) -> Iterator[str]:
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str | int | float) and not isinstance(one, bool) and (text := str(one).strip()):
            yield text


def problem(properties: Mapping[str, JsonValue]) -> str | None:
    """What is wrong with them: the end of a sentence that begins with their name. None if they can be stored."""
    if len(properties) > PROPERTIES_MAX:
        return f"must be at most {PROPERTIES_MAX}"
    for name, value in properties.items():
        if not 1 <= len(name) <= PROPERTY_NAME_MAX_CHARACTERS or name != name.strip():
            return (
                f"must have names of 1 to {PROPERTY_NAME_MAX_CHARACTERS} characters, "
                "without spaces at the beginning and the end"
            )
        if name.startswith(RESERVED_PREFIX):
            return f'must not have names that begin with "{RESERVED_PREFIX}"'
        for part, depth in ((name, 0), *_parts(value, 0)):
            if reason := _problem_of_part(part, depth):
                return f'{reason}, which "{name[:50]}" does'.replace("\x00", "\ufffd")
    if len(to_json(properties)) > PROPERTIES_MAX_BYTES:
        return f"must be at most {PROPERTIES_MAX_BYTES // 1024} KiB as JSON"
    return None


def _parts(value: JsonValue, depth: int) -> Iterator[tuple[JsonValue, int]]:
    """The value, and everything in it, with the number of lists and objects around it."""
    yield value, depth
    if depth > PROPERTY_MAX_DEPTH:
        return
    if isinstance(value, dict):
        for name, inside in value.items():
            yield name, depth
            yield from _parts(inside, depth + 1)
    elif isinstance(value, list):
        for inside in value:
            yield from _parts(inside, depth + 1)


def _problem_of_part(part: JsonValue, depth: int) -> str | None:
    if depth > PROPERTY_MAX_DEPTH:
        return f"must not nest values deeper than {PROPERTY_MAX_DEPTH} levels"
    if isinstance(part, str) and ("\x00" in part or any("\ud800" <= one <= "\udfff" for one in part)):
        return "must not contain the NUL character or half of a surrogate pair"
    if isinstance(part, int) and abs(part) > INTEGER_MAX:
        return f"must not have whole numbers beyond {INTEGER_MAX:,} (write them as text)"
    if isinstance(part, float) and not math.isfinite(part):
        return "must not have numbers that are not finite"
    return None


def _checked(properties: Properties) -> Properties:
    if reason := problem(properties):
        raise ValueError(reason)
    return properties


ValidProperties = Annotated[Properties, AfterValidator(_checked)]
"""As a writer may send them, within their limits."""
