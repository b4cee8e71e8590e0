"""Front matter in TOML, between two lines of `+++` at the top of a file, as Hugo and Zola write it."""

import json
import re
import tomllib
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any, cast

from pydantic import JsonValue

from contracts.properties import INTEGER_MAX, PROPERTY_MAX_DEPTH
from notes_service.transfer.written_values import Block, Entry, Items, Raw, Scalar, Table, Written
from notes_service.transfer.yaml_block import MAX_CHARACTERS

MAX_DEPTH_IN_SOURCE = 20
"""Brackets inside each other: `tomllib` recurses."""
BLOCK = re.compile(r"\A(\+\+\+[ \t]*\r?\n)(.*?)(^\+\+\+[ \t]*(?:\r?\n|\Z))", re.DOTALL | re.MULTILINE)
KEY = re.compile(r"[A-Za-z0-9_\"'-][^=\n]*=")
HEADER = re.compile(r"\[\[?\s*([^\s.\]]+)")
PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
UNPRINTABLE = re.compile("[\x7f]")
SHOWN_CHARACTERS = 1_000


def find(text: str) -> Block | None:
    """The block at the top; None if there is none, or if it is not TOML. One that is too long has no entries."""
    match = BLOCK.match(text)
    if match is None:
        return None
    before, source, after = match.groups()
    if len(source) > MAX_CHARACTERS:
        return Block(match[0], before, [], after, is_divisible=False, is_certain=True)
    values = _parsed(source)
    if values is None:
        return None
    parts = _parts(source)
    is_divisible = len(parts) == len(values) and all(
        _parsed(part) == {key: value} for part, (key, value) in zip(parts, values.items(), strict=False)
    )
    if is_divisible and parts:
        before += source[: source.index(parts[0])]
    entries = [
        Entry(key.strip() or json.dumps(key), _written(value, 0), parts[number] if is_divisible else "")
        for number, (key, value) in enumerate(values.items())
    ]
    return Block(match[0], before, entries, after, is_divisible=is_divisible, is_certain=True)


def _parsed(source: str) -> dict[str, Any] | None:
    depth = 0
    for bracket in re.findall(r"[\[{\]}]", source):
        depth = max(0, depth + (1 if bracket in "[{" else -1))
        if depth > MAX_DEPTH_IN_SOURCE:
            return None
    try:
        return tomllib.loads(source.replace("\r\n", "\n"))
    except (tomllib.TOMLDecodeError, ValueError, RecursionError):
        return None


def _parts(source: str) -> list[str]:
    """The lines of each entry, with all tables of one name together. A value may also have lines that look like it."""
    lines = source.splitlines(keepends=True)
    starts: list[int] = []
    table = None
    for at, line in enumerate(lines):
        header = HEADER.match(line)
        if (header and header[1] != table) or (table is None and KEY.match(line)):
            starts.append(at)
        table = header[1] if header else table
    return ["".join(lines[at:end]) for at, end in pairwise([*starts, len(lines)])]


def _written(value: Any, depth: int) -> Written:
    """Numbers that would be rounded are text."""
    if isinstance(value, dict | list) and depth >= PROPERTY_MAX_DEPTH:
        return Raw(str(cast(object, value))[:SHOWN_CHARACTERS])
    if isinstance(value, dict):
        values = cast(dict[str, Any], value)
        return Table({name: _written(inside, depth + 1) for name, inside in values.items()})
    if isinstance(value, list):
        return Items([_written(inside, depth + 1) for inside in cast(list[Any], value)])
    return _scalar(value)


def _scalar(value: object) -> Scalar:
    if isinstance(value, bool):
        return Scalar(str(value).lower(), value)
    if isinstance(value, datetime | date | time):
        text = value.isoformat()
    elif isinstance(value, int | float) and abs(value) <= INTEGER_MAX:
        return Scalar(str(value), value)
    else:
        text = str(value).replace("\0", "\\u0000")
    return Scalar(text, text)


def entry(name: str, value: JsonValue) -> str | None:
    """The entry's line, without its end; None for what TOML cannot hold."""
    written = _value(value)
    return None if written is None else f"{name if PLAIN_KEY.fullmatch(name) else _text(name)} = {written}"


def _value(value: JsonValue) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list):
        items = [_value(item) for item in value]
        return None if None in items else f"[{', '.join(map(str, items))}]"
    if isinstance(value, dict):
        fields = [entry(name, inside) for name, inside in value.items()]
        return None if None in fields else f"{{{', '.join(map(str, fields))}}}"
    return json.dumps(value)


def _text(text: str) -> str:
    """As JSON, whose escapes TOML has too."""
    return UNPRINTABLE.sub("\\\\u007f", json.dumps(text, ensure_ascii=False))
