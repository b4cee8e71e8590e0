"""Front matter: the YAML between two lines of `---` at the top of a file. Reads that of other programs as well."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from typing import cast

import yaml

from contracts.ids import UUID_PATTERN
from contracts.notes import TAG_MAX_CHARACTERS, TAGS_MAX, NoteInput
from notes_service.transfer.dates import parse
from notes_service.transfer.note_file import NoteFile

SYNONYMS = {
    **dict.fromkeys(("tags", "tag", "keywords", "keyword"), "tags"),
    **dict.fromkeys(("date", "createdat", "datecreated", "creationdate", "createddate", "created"), "created"),
    **dict.fromkeys(("modified", "modifiedat", "lastmod", "lastmodified", "lastmodifiedat", "datemodified"), "updated"),
    **dict.fromkeys(("updated", "updatedat", "dateupdated", "lastupdated", "modificationdate"), "updated"),
    "title": "title",
}
"""What other programs call a note's fields: without case, spaces, `_` and `-`."""
PROPERTIES = [name for name in NoteInput.model_fields if name != "body"]

MAX_CHARACTERS = 16 * 1024
"""The largest title and tags need 11,000 characters, if every one is escaped."""
MAX_DEPTH = 20
"""libyaml's composer recurses without a limit: deep nesting would crash the process."""
NULL_TAG, TEXT_TAG = "tag:yaml.org,2002:null", "tag:yaml.org,2002:str"
NESTED: dict[str, str] = {}
"""Replaces a value that is nested deeper than any field's; every field refuses it."""

SHOWN_CHARACTERS = 60
BLANK = " \t\r\n"
"""The characters that are stripped from titles and tags when they are stored; Python strips more."""

ENTRY = re.compile(r"[^\s#:][^:]*:(\s|$)")
BLOCK = re.compile(r"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def write(note: NoteFile) -> str:
    """The block with both its lines of `---`. It contains no other such line, so that the body follows unchanged."""
    fields = (
        {"id": note.id}
        | {name: _quoted(getattr(note, name)) for name in PROPERTIES}
        | {"created": _timestamp(note.created), "updated": _timestamp(note.updated)}
    )
    lines = (f"{key}: {value}\n" for key, value in fields.items() if value is not None)
    return f"---\n{''.join(lines)}---\n"


def _quoted(value: object) -> str | None:
    """As JSON, which is valid YAML except for some characters that YAML requires to be escaped. (PyYAML would escape
    every emoji.)"""
    if value is None:
        return None
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False))


def _timestamp(moment: datetime | None) -> str | None:
    return moment and moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


@dataclass(frozen=True)
class Split:
    """The fields of a note that a file's front matter has, not validated, the body, and what was left out: sentences
    for the user."""

    fields: dict[str, object]
    body: str
    left_out: list[str]


def split(text: str) -> Split:
    """A block that has none of a note's fields stays in the body: it may be text between two rules.

    Never raises: a field that cannot be read is left out.
    """
    block = BLOCK.match(text)
    if block is None:
        return Split({}, text, [])
    if len(block[1]) > MAX_CHARACTERS:
        return Split({}, text, [f"The front matter is longer than {MAX_CHARACTERS} characters, so it is in the text."])
    entries = _entries(block[1])
    fields, left_out = _fields(entries)
    unknown = [key for key, _ in entries if _name(key) is None]
    if len(unknown) == len(entries) and block[1].strip():
        return Split({}, text, [])
    if unknown:
        left_out.append(f"Not kept: {_shortened(', '.join(unknown))}.")
    return Split(fields, text[block.end() :], left_out)


def _entries(source: str) -> list[tuple[str, yaml.Node]]:
    """The keys with their values, in order; none if other text comes first. Where the block as a whole is not YAML,
    each is read by itself, and what is none is text: `title: Part one: the beginning`."""
    root = _composed(source)
    if root is None:
        lines = source.replace("\t", "  ").splitlines(keepends=True)
        starts = [at for at, line in enumerate(lines) if ENTRY.match(line)]
        if starts and "".join(lines[: starts[0]]).strip():
            return []
        parts = ["".join(lines[at:end]) for at, end in pairwise([*starts, len(lines)])]
        return [entry for part in parts for entry in _single_entry(part)]
    return _pairs(root)


def _pairs(root: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    if not isinstance(root, yaml.MappingNode):
        return []
    return [(key.value, value) for key, value in root.value if isinstance(key, yaml.ScalarNode)]


def _single_entry(part: str) -> list[tuple[str, yaml.Node]]:
    if pairs := _pairs(_composed(part)):
        return pairs
    key, _, value = part.partition(":")
    return [(key.strip(" \"'"), yaml.ScalarNode(TEXT_TAG, value.strip()))]


def _composed(source: str) -> yaml.Node | None:
    """None if this is not YAML, or nested too deeply."""
    try:
        if _depth(source) > MAX_DEPTH:
            return None
        return cast(yaml.Node | None, yaml.compose(source, Loader=yaml.CSafeLoader))
    except yaml.YAMLError:
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


def _name(key: str) -> str | None:
    """The field of a note that a key means."""
    if key in NoteFile.model_fields and key not in ("body", "left_out"):
        return key
    return SYNONYMS.get(re.sub(r"[\s_-]", "", key.casefold()))


def _fields(entries: list[tuple[str, yaml.Node]]) -> tuple[dict[str, object], list[str]]:
    """A field without a value is left out. Of several keys for one field, its own name counts first; of one key written
    twice, the last."""
    fields: dict[str, object] = {}
    left_out: list[str] = []
    own_last = sorted(entries, key=lambda entry: (entry[0] == _name(entry[0]), entry[0].casefold() != "date"))
    is_ours = any(_name(key) == "id" and _id(node) is not None for key, node in entries)
    for key, node in own_last:
        name = _name(key)
        if name is None or _is_null(node):
            continue
        if name in ("created", "updated"):
            value = parse(_link_text(node) or "")
            if value is None:
                left_out.append(f'"{key}" is left out: {_shown(node)} is not a date.')
        elif name == "tags":
            tags = _tags(node, as_written=is_ours)
            value = tags.kept
            left_out.extend(f"One of the {key} is left out: {reason}" for reason in tags.left_out)
        else:
            value = _id(node) if name == "id" else node.value if isinstance(node, yaml.ScalarNode) else NESTED
        if value is not None:
            fields[name] = value
    return fields, left_out


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == NULL_TAG


def _id(node: yaml.Node) -> object:
    """An id of another program, which is not a UUID, is ignored."""
    value = node.value if isinstance(node, yaml.ScalarNode) else ""
    return value.lower() if re.fullmatch(UUID_PATTERN, value.lower()) else None


@dataclass(frozen=True)
class _Tags:
    kept: list[str]
    left_out: list[str]


def _tags(node: yaml.Node, *, as_written: bool) -> _Tags:
    """A list, or text: `one, two`, `#one #two`, `one two` (Jekyll). Tags that differ only in case are one.

    `as_written`: a list of our own export is exactly the note's.
    """
    left_out: list[str] = []
    if isinstance(node, yaml.SequenceNode):
        items = [item for item in node.value if not _is_null(item)]
        left_out += [f"{_shown(item)} is not text." for item in items if not isinstance(item, yaml.ScalarNode)]
        written = [item.value for item in items if isinstance(item, yaml.ScalarNode)]
    else:
        text = node.value if isinstance(node, yaml.ScalarNode) else ""
        written = text.split("," if "," in text else None)
    tags: dict[str, str] = {}
    for one in written:
        tag = one.strip(BLANK) if as_written else one.strip().removeprefix("#").strip()
        key = tag if as_written else tag.casefold()
        if "\0" in tag:
            left_out.append("it contains the NUL character.")
        elif len(tag) > TAG_MAX_CHARACTERS:
            left_out.append(f'"{_shortened(tag)}" is longer than {TAG_MAX_CHARACTERS} characters.')
        elif tag and len(tags) >= TAGS_MAX and key not in tags:
            left_out.append(f'"{_shortened(tag)}" is more than the {TAGS_MAX} that a note can have.')
        elif tag:
            tags.setdefault(key, tag)
    return _Tags(list(tags.values()), left_out)


def _link_text(node: yaml.Node) -> str | None:
    """A link without quotes, `[[2021-02-03]]`, is a list in a list to YAML."""
    while isinstance(node, yaml.SequenceNode) and len(node.value) == 1:
        node = node.value[0]
    return node.value if isinstance(node, yaml.ScalarNode) else None


def _shown(node: yaml.Node) -> str:
    return f'"{_shortened(node.value)}"' if isinstance(node, yaml.ScalarNode) else "a nested value"


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
