"""Front matter: the YAML between two lines of `---` at the top of a file. Reads that of other programs as well."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import cast

import yaml

from contracts.ids import UUID_PATTERN
from contracts.notes import NoteInput
from notes_service.transfer.note_file import NoteFile, Unreadable

PROPERTIES = [name for name in NoteInput.model_fields if name != "body"]

MAX_CHARACTERS = 16 * 1024
"""The largest title and tags need 11,000 characters, if every one is escaped."""
MAX_DEPTH = 20
"""libyaml's composer recurses without a limit: deep nesting would crash the process."""
NULL_TAG = "tag:yaml.org,2002:null"
NESTED: dict[str, str] = {}
"""Replaces a value that is nested deeper than any field's; every field refuses it."""

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


def split(text: str) -> tuple[dict[str, object], str]:
    """The fields of a note that the file's front matter has, not validated, and the body.

    A file that only begins with a rule (`---`) has no front matter. Raises `Unreadable` for a block that is not YAML.
    """
    block = BLOCK.match(text)
    root = _root(block[1]) if block else None
    if block is None or (root is not None and not isinstance(root, yaml.MappingNode)):
        return {}, text
    return dict(_fields(root)) if root else {}, text[block.end() :]


def _root(source: str) -> yaml.Node | None:
    if len(source) > MAX_CHARACTERS:
        raise Unreadable(f"The front matter is longer than {MAX_CHARACTERS} characters.")
    try:
        _refuse_hostile(source)
        return cast(yaml.Node | None, yaml.compose(source, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1
        raise Unreadable(f"The front matter is not valid YAML (line {line}: {error.problem}).") from None
    except yaml.YAMLError:
        raise Unreadable("The front matter holds a character that YAML does not allow.") from None


def _refuse_hostile(source: str) -> None:
    """Reads only the events, which needs no more memory than the text, even with deep nesting or aliases."""
    depth = 0
    for event in cast(Iterator[yaml.Event], yaml.parse(source, Loader=yaml.CSafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise Unreadable("The front matter is nested too deeply.")
        if isinstance(event, yaml.AliasEvent):
            raise Unreadable("The front matter uses YAML aliases (*name), which are not supported.")


def _fields(root: yaml.MappingNode) -> Iterator[tuple[str, object]]:
    """A field without a value is left out."""
    for key, node in root.value:
        if isinstance(key, yaml.ScalarNode) and key.value in NoteFile.model_fields and key.value != "body":
            value = READ.get(key.value, _scalar)(node)
            if value is not None:
                yield key.value, value


def _scalar(node: yaml.Node) -> object:
    """A scalar as text: a title `2024` or `yes` is a string. Only null is not."""
    if not isinstance(node, yaml.ScalarNode):
        return NESTED
    return None if node.tag == NULL_TAG else node.value


def _tags(node: yaml.Node) -> object:
    """Other programs also write `tags: one, two`, or lists with empty tags."""
    if isinstance(node, yaml.SequenceNode):
        return [tag for item in node.value if (tag := _scalar(item)) is not None]
    value = _scalar(node)
    return [tag for tag in value.split(",") if tag.strip()] if isinstance(value, str) else value


def _id(node: yaml.Node) -> object:
    """An id of another program, which is not a UUID, is ignored."""
    value = _scalar(node)
    if not isinstance(value, str):
        return value
    return value.lower() if re.fullmatch(UUID_PATTERN, value.lower()) else None


READ = {"id": _id, "tags": _tags}
