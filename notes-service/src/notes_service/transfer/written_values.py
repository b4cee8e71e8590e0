"""Values as a file's front matter writes them, whatever its dialect: what they are, and how they are written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from contracts.properties import INTEGER_MAX

NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d{1,3})?")
"""As in JSON. `007` and `1_000` are text to most people, and numbers to some YAML parsers only."""
BOOLEANS = {form: form.casefold() == "true" for form in ("true", "True", "TRUE", "false", "False", "FALSE")}


@dataclass(frozen=True, slots=True)
class Scalar:
    """`text` is what is written, without quotes."""

    text: str
    value: JsonValue


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: Sequence["Written"]

    @property
    def value(self) -> JsonValue:
        return [item.value for item in self.items]


@dataclass(frozen=True, slots=True)
class Table:
    """Values by name."""

    values: dict[str, "Written"]

    @property
    def value(self) -> JsonValue:
        return {name: written.value for name, written in self.values.items()}


@dataclass(frozen=True, slots=True)
class Raw:
    """A value that is too deep or too large, as it is written."""

    value: str


Written = Scalar | Items | Table | Raw


@dataclass(frozen=True, slots=True)
class Entry:
    """`source`: the lines of the file from the entry's key up to the next one."""

    key: str
    written: Written
    source: str


@dataclass(frozen=True, slots=True)
class Block:
    """Front matter as it is in a file: `before` and `after` are what surrounds the entries, `source` is all of it.

    `is_divisible`: the lines of one entry mean the same without the others. `is_certain`: nobody would write this as
    part of a text.
    """

    source: str
    before: str
    entries: Sequence[Entry]
    after: str
    is_divisible: bool
    is_certain: bool


def plain(text: str) -> Scalar:
    """A value without quotes: a number, true or false, or text. Numbers that would be rounded are text."""
    if text in BOOLEANS:
        return Scalar(text, BOOLEANS[text])
    match = NUMBER.fullmatch(text)
    if match is None:
        return Scalar(text, text)
    if match[2] or match[3]:
        number = float(text)
        return Scalar(text, number if abs(number) < float("inf") else text)
    is_exact = len(text) <= len(str(INTEGER_MAX)) + 1 and abs(int(text)) <= INTEGER_MAX
    return Scalar(text, int(text) if is_exact else text)
