"""Front matter in YAML, between two lines of `---` at the top of a file, as most programs write it."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import cast

import yaml
from pydantic import JsonValue

from contracts.properties import PROPERTY_MAX_DEPTH
from notes_service.transfer.written_values import BOOLEANS, Block, Entry, Items, Raw, Scalar, Table, Written, plain

MAX_CHARACTERS = 112 * 1024
"""The largest properties, title and tags need 108,000 characters, if every one is escaped."""
MAX_DEPTH = 20
"""libyaml's composer recurses without a limit: deep nesting would crash the process."""
MAX_VALUES = 5_000
"""Of one entry, with everything that its aliases repeat: a few lines may stand for billions of values."""
NULL_TAG = "tag:yaml.org,2002:null"

BLOCK = re.compile(r"\A(---[ \t]*\r?\n)(.*?)(^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z))", re.DOTALL | re.MULTILINE)
ENTRY = re.compile(r"[^\s#:][^:]*:(\s|$)")
NAME = re.compile(r"[^\W\d_][\w./-]*", re.ASCII)
"""A key that programs write; a person's sentence before a colon has spaces."""
PLAIN_KEY = re.compile(r"[A-Za-z_][\w-]*", re.ASCII)
PLAIN_TEXT = re.compile(r"[A-Za-z]([\w ./-]*\w)?|\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?Z?)?)?", re.ASCII)
RESERVED = {
    *BOOLEANS,
    *[
        "null",
        "Null",
        "NULL",
        "yes",
        "Yes",
        "YES",
        "no",
        "No",
        "NO",
        "on",
        "On",
        "ON",
        "off",
        "Off",
        "OFF",
        "y",
        "Y",
        "n",
        "N",
    ],
}
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class _TooMuch(Exception):
    """A value that is too deep or too large."""


def find(text: str) -> Block | None:
    """The block at the top; None if there is none. Never raises. One that is too long has no entries."""
    match = BLOCK.match(text)
    if match is None:
        return None
    before, source, after = match.groups()
    if len(source) > MAX_CHARACTERS:
        return Block(match[0], before, [], after, is_divisible=False, is_certain=True)
    root = _composed(source)
    if root is None:
        introduction, entries = _line_by_line(source)
        return Block(match[0], before + introduction, entries, after, is_divisible=True, is_certain=False)
    if not isinstance(root, yaml.MappingNode):
        return Block(match[0], before, [], after, is_divisible=False, is_certain=False)
    pairs = cast(list[tuple[yaml.Node, yaml.Node]], root.value)
    lines = source.splitlines(keepends=True) if "\r" not in source.replace("\r\n", "") else source.split("\n")
    starts = [key.start_mark.line for key, _ in pairs]
    is_divisible = not root.flow_style and len(set(starts)) == len(starts) and "".join(lines) == source
    entries = [
        Entry(_key(source, key), _written(source, value), "".join(lines[start:end]) if is_divisible else "")
        for (key, value), (start, end) in zip(pairs, pairwise([*starts, len(lines)]), strict=True)
    ]
    if is_divisible and starts:
        before += "".join(lines[: starts[0]])
    is_certain = all(NAME.fullmatch(entry.key) for entry in entries)
    return Block(match[0], before, entries, after, is_divisible=is_divisible, is_certain=is_certain)


def _line_by_line(source: str) -> tuple[str, list[Entry]]:
    """Where the block as a whole is not YAML, each entry is read by itself, and what is none is text: `title: Part one:
    the beginning`. No entries if other text comes first."""
    lines = re.findall(r"[^\n]*\n|[^\n]+", source)
    starts = [at for at, line in enumerate(lines) if ENTRY.match(line)]
    introduction = "".join(lines[: starts[0]]) if starts else source
    if any(line.strip() and not line.startswith("#") for line in introduction.splitlines()):
        return source, []
    parts = ["".join(lines[at:end]) for at, end in pairwise([*starts, len(lines)])]
    return introduction, [_single_entry(part) for part in parts]


def _single_entry(part: str) -> Entry:
    root = _composed(spaced := part.replace("\t", "  "))
    if isinstance(root, yaml.MappingNode) and len(root.value) == 1:
        ((key, value),) = cast(list[tuple[yaml.Node, yaml.Node]], root.value)
        return Entry(_key(spaced, key), _written(spaced, value), part)
    key, _, value = part.replace("\0", "\ufffd").partition(":")
    return Entry(key.strip(" \t\"'"), Scalar(value.strip(), value.strip()), part)


def _composed(source: str) -> yaml.Node | None:
    """None if this is not YAML, or nested too deeply."""
    try:
        if _depth(source) > MAX_DEPTH:
            return None
        return cast(yaml.Node | None, yaml.compose(source, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError):
        return None


def _depth(source: str) -> int:
    """Reads only the events, which needs no more memory than the text, even with deep nesting."""
    depth = deepest = 0
    for event in cast(Iterator[yaml.Event], yaml.parse(source, Loader=yaml.CSafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, depth)
        if deepest > MAX_DEPTH:
            break
    return deepest


def _key(source: str, node: yaml.Node) -> str:
    """A key that is no text is named as it is written."""
    name = node.value.strip() if isinstance(node, yaml.ScalarNode) else ""
    return name if name and "\0" not in name else _slice(source, node)


def _written(source: str, node: yaml.Node) -> Written:
    """A value that is too deep or too large is the text that is written there, and so is one with a NUL."""
    try:
        return _of_node(source, node, 0, [MAX_VALUES])
    except _TooMuch:
        return Raw(_slice(source, node))


def _of_node(source: str, node: yaml.Node, depth: int, left: list[int]) -> Written:
    left[0] -= 1
    if left[0] < 0 or depth > PROPERTY_MAX_DEPTH:
        raise _TooMuch
    if isinstance(node, yaml.ScalarNode):
        text = cast(str, node.value)
        if "\0" in text:
            return Scalar(text, _slice(source, node))
        if node.tag == NULL_TAG:
            return Scalar(text, None)
        return Scalar(text, text) if node.style else plain(text)
    if isinstance(node, yaml.SequenceNode):
        return Items([_of_node(source, item, depth + 1, left) for item in node.value])
    values: dict[str, Written] = {}
    for key, value in cast(list[tuple[yaml.Node, yaml.Node]], node.value):
        if not isinstance(key, yaml.ScalarNode) or "\0" in key.value:
            raise _TooMuch
        values[key.value] = _of_node(source, value, depth + 1, left)
    return Table(values)


def _slice(source: str, node: yaml.Node) -> str:
    """What is written there, in one line. libyaml's marks have no index where the text has a byte order mark."""
    lines = re.split(r"\r\n|[\n\r\x85\u2028\u2029]", source)[node.start_mark.line : node.end_mark.line + 1]
    if node.end_mark.line == node.start_mark.line:
        return " ".join(lines[0][node.start_mark.column : node.end_mark.column].split())
    first, last = lines[0][node.start_mark.column :], lines[-1][: node.end_mark.column] if len(lines) > 1 else ""
    return " ".join(" ".join([first, *lines[1:-1], last]).split())


def entry(name: str, value: JsonValue) -> str:
    """The entry's line, without its end."""
    key = name if PLAIN_KEY.fullmatch(name) and name not in RESERVED else quoted(name)
    if value is None:
        return f"{key}:"
    is_plain = isinstance(value, str) and PLAIN_TEXT.fullmatch(value) and value not in RESERVED and len(value) < 200
    return f"{key}: {value if is_plain else quoted(value)}"


def quoted(value: JsonValue) -> str:
    """As JSON, which is valid YAML except for some characters that YAML requires to be escaped. (PyYAML would escape
    every emoji.)"""
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))
