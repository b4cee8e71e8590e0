"""Front matter: what a file says of its note before the text. Reads and writes that of other programs as well.

**Invariant: what is written is read as the same fields and properties, and what the person has not changed is written
as it was.** The entries of the file that the note came from are written again as they are, where they still mean what
the note has; others are written anew in their place, and the fields that the file did not have come last. Entries may
depend on each other (anchors, names written twice, other names of one field), so the result is read again; where it
does not give the note, all of it is written in our own form, in which nothing depends on anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from contracts import properties
from contracts.ids import UUID_PATTERN
from contracts.notes import TAG_MAX_CHARACTERS, TAGS_MAX, NoteInput
from contracts.properties import RESERVED_PREFIX, Properties
from notes_service.transfer import dates, logseq_block, toml_block, yaml_block
from notes_service.transfer.note_file import NoteFile, Unreadable, valid
from notes_service.transfer.written_values import Block, Entry, Items, Raw, Scalar, Written

OWN = ("id", *(name for name in NoteInput.model_fields if name not in ("body", "properties")), "created", "updated")
"""The fields of a note that its front matter has, by the names under which they are written, in their order."""
SYNONYMS = {
    **dict.fromkeys(("tags", "tag", "keywords", "keyword"), "tags"),
    **dict.fromkeys(("date", "createdat", "datecreated", "creationdate", "createddate", "created"), "created"),
    **dict.fromkeys(("modified", "modifiedat", "lastmod", "lastmodified", "lastmodifiedat", "datemodified"), "updated"),
    **dict.fromkeys(("updated", "updatedat", "dateupdated", "lastupdated", "modificationdate"), "updated"),
    "title": "title",
}
"""What other programs call a note's fields: without case, spaces, `_` and `-`."""
USUAL = {"aliases", "alias", "cssclass", "cssclasses", "publish", "permalink", "description"}
"""Properties by which a block is front matter, whatever its other names are: those of Obsidian."""
DEFAULTS: dict[str, object] = {"tags": [], "pinned": False, "archived": False}
SOURCE_MAX_CHARACTERS = 16 * 1024
"""Front matter that is longer is not kept as it was written."""

SHOWN_CHARACTERS = 60
BLANK = " \t\r\n"
"""The characters that are stripped from titles and tags when they are stored; Python strips more."""
EMPTY = re.compile(r"(---|\+\+\+)\s+(---|\.\.\.|\+\+\+)\s*")
TRAILING = re.compile(r"(?:^[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z))*\Z", re.MULTILINE)
"""Empty lines and comments after an entry."""

UNCHANGED = object()
Writer = Callable[[str, JsonValue], str | None]
DIALECTS: Sequence[tuple[Callable[[str], Block | None], Writer]] = (
    (yaml_block.find, yaml_block.entry),
    (toml_block.find, toml_block.entry),
    (logseq_block.find, logseq_block.entry),
)


@dataclass(frozen=True)
class Split:
    """The valid fields and the properties that a file's front matter has, the body, the front matter as it is written,
    and what was not taken as it was meant: sentences for the user."""

    fields: dict[str, Any]
    properties: Properties
    body: str
    source: str = ""
    left_out: list[str] = field(default_factory=list[str])


def split(text: str) -> Split:
    """A block that is no front matter stays in the body: it may be text between two rules.

    Never raises: a field that cannot be read becomes a property.
    """
    block, _ = _find(text)
    if block is None or not _is_front_matter(block):
        too_long = [f"The front matter is longer than {yaml_block.MAX_CHARACTERS} characters, so it is in the text."]
        return Split({}, Properties(), text, left_out=too_long if block and block.is_certain else [])
    reading = _read(block.entries)
    if problem := properties.problem(reading.properties):
        reading.left_out.append(f"The properties {problem}. The front matter is in the text.")
        return Split(reading.fields, Properties(), text, left_out=reading.left_out)
    is_kept = len(block.source) <= SOURCE_MAX_CHARACTERS and "\0" not in block.source
    source = block.source if is_kept else ""
    return Split(reading.fields, reading.properties, text[len(block.source) :], source, reading.left_out)


def _find(text: str) -> tuple[Block | None, Writer]:
    for find, entry in DIALECTS:
        if block := find(text):
            return block, entry
    return None, yaml_block.entry


def _is_front_matter(block: Block) -> bool:
    if not block.entries:
        return EMPTY.fullmatch(block.source) is not None
    return block.is_certain or any(_field(one.key) or one.key.casefold() in USUAL for one in block.entries)


def write(note: NoteFile) -> str:
    """The front matter, after which the body follows unchanged."""
    return (note.front_matter and _rewritten(note)) or _in_our_form(note)


def _in_our_form(note: NoteFile) -> str:
    fields = [name for name in OWN if getattr(note, name) is not None]
    lines = [f"{_name(name, note.properties)}: {_written_field(note, name)}\n" for name in fields]
    lines += [f"{yaml_block.entry(name, value)}\n" for name, value in note.properties.items()]
    return f"---\n{''.join(lines)}---\n"


def _name(own: str, taken: Properties) -> str:
    return RESERVED_PREFIX + own if own in taken else own


def _written_field(note: NoteFile, name: str) -> str:
    value = _json(getattr(note, name))
    return str(value) if name in ("id", "created", "updated") else yaml_block.quoted(value)


def _json(value: Any) -> JsonValue:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def _rewritten(note: NoteFile) -> str | None:
    """As in the file that the note came from. None if that cannot hold the note."""
    block, entry = _find(note.front_matter)
    if block is None or not block.is_divisible or block.source != note.front_matter:
        return None
    reading = _read(block.entries)
    line_end = "\r\n" if "\r\n" in block.source else "\n"
    parts: dict[int, str] = {}
    """By the place of the entry. Those of the properties that the note does not have any more are left out."""
    for at, one in enumerate(block.entries):
        if reading.owners.get(one.key) == at and one.key not in note.properties:
            continue
        value = _new_value(note, reading, at, one)
        line = one.source if value is UNCHANGED else entry(one.key, _json(value))
        if line is None:
            return None
        parts[at] = line if value is UNCHANGED else line + line_end + _trailing(entry, one)
    is_same = all(parts.get(at) == one.source for at, one in enumerate(block.entries))
    new = {name: entry(name, value) for name, value in note.properties.items() if name not in reading.owners}
    missing = [
        name for name in OWN if name not in reading.winners.values() and getattr(note, name) not in (None, [], False)
    ]
    taken = Properties(dict.fromkeys((one.key for one in block.entries), None) | note.properties)
    fields = [entry(_name(name, taken), _json(getattr(note, name))) for name in missing]
    if None in new.values() or None in fields:
        return None
    in_order = [reading.owners.get(name, len(block.entries)) for name in note.properties]
    if in_order == sorted(in_order):
        written = [*(parts[at] for at in sorted(parts)), *(f"{line}{line_end}" for line in new.values())]
    else:
        written = [part for at, part in sorted(parts.items()) if at not in reading.owners.values()]
        written += [
            f"{new[name]}{line_end}" if name in new else parts[reading.owners[name]] for name in note.properties
        ]
        is_same = False
    written = [part if part.endswith("\n") else part + line_end for part in written]
    tables = len(written)
    if entry is toml_block.entry:  # what follows the name of a table is part of it
        written.sort(key=lambda part: part.startswith("["))
        tables -= sum(part.startswith("[") for part in written)
    written[tables:tables] = [f"{line}{line_end}" for line in fields]
    text = f"{block.before}{''.join(written)}{block.after}"
    is_simple = is_same and not new and "tags" not in missing and entry is yaml_block.entry
    return text if is_simple or _is_read_as(note, text) else None


def _new_value(note: NoteFile, reading: _Reading, at: int, one: Entry) -> object:
    """What the entry has to say; `UNCHANGED` if it says that already."""
    if at in reading.winners:
        name = reading.winners[at]
        value, before = getattr(note, name), reading.fields.get(name, DEFAULTS.get(name))
    elif reading.owners.get(one.key) == at:
        value, before = note.properties[one.key], reading.properties[one.key]
    else:
        return UNCHANGED
    return UNCHANGED if Properties(x=_json(value)) == Properties(x=_json(before)) else value


def _trailing(entry: Writer, one: Entry) -> str:
    match = None if entry is logseq_block.entry else TRAILING.search(one.source)
    return match[0] if match else ""


def _is_read_as(note: NoteFile, text: str) -> bool:
    again = split(text + note.body)
    fields = {name: again.fields.get(name, DEFAULTS.get(name)) for name in OWN}
    return (
        again.properties == note.properties
        and len(again.body) == len(note.body)
        and fields == {name: getattr(note, name) for name in OWN}
    )


@dataclass
class _Reading:
    """`winners`: the fields that entries stand for, by the entry's place. `owners`: the place of the entry that each
    property is of."""

    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    properties: Properties = field(default_factory=Properties)
    winners: dict[int, str] = field(default_factory=dict[int, str])
    owners: dict[str, int] = field(default_factory=dict[str, int])
    left_out: list[str] = field(default_factory=list[str])


def _read(entries: Sequence[Entry]) -> _Reading:
    """Of several entries for one field, its own name counts first; of one name written twice, the last. The others, and
    those that are not valid, are properties. An entry of a field without a value only keeps the field's place."""
    reading = _Reading()
    last = {one.key: at for at, one in enumerate(entries)}
    is_ours = _is_ours(entries)
    for at in sorted(last.values(), key=lambda at: _rank(entries[at].key, at), reverse=True):
        one, name = entries[at], _field(entries[at].key)
        if name is None or name in reading.fields or one.written.value is None:
            continue
        try:
            value = _value(name, one, reading.left_out, as_written=is_ours)
        except Unreadable as error:
            reading.left_out.append(str(error))
            continue
        if value is not None:
            reading.fields[name] = value
            reading.winners[at] = name
    for at, one in enumerate(entries):
        name = _field(one.key)
        if at in reading.winners:
            continue
        if last[one.key] != at:
            reading.left_out.append(f'"{_shortened(one.key)}" is there twice; the last one counts.')
        elif name and one.written.value is None and name not in reading.winners.values():
            reading.winners[at] = name
        elif one.key.startswith(RESERVED_PREFIX):
            reading.left_out.append(f'"{_shortened(one.key)}" is left out: the name is reserved.')
        else:
            reading.properties[one.key] = one.written.value
            reading.owners[one.key] = at
    return reading


def _is_ours(entries: Sequence[Entry]) -> bool:
    """Whether we wrote the entries up to the tags: a list of our own is exactly the note's."""
    keys = [one.key.removeprefix(RESERVED_PREFIX) for one in entries]
    until_tags = keys[: keys.index("tags")] if "tags" in keys else []
    return until_tags in (["id"], ["id", "title"]) and _id(entries[0].written) is not None


def _rank(key: str, at: int) -> tuple[bool, bool, bool, int]:
    name = _field(key)
    return key.startswith(RESERVED_PREFIX), key == name, key.casefold() != "date", at


def _field(key: str) -> str | None:
    """The field of a note that a key means."""
    own = key.removeprefix(RESERVED_PREFIX)
    return own if own in OWN else SYNONYMS.get(re.sub(r"[\s_-]", "", key.casefold()))


def _value(name: str, one: Entry, left_out: list[str], *, as_written: bool) -> object:
    """None if the entry says nothing of the field. Raises `Unreadable`, with a sentence for the user."""
    written, key = one.written, _shortened(one.key)
    if name == "id":
        return _id(written)  # that of another program is a property
    if name == "tags" and isinstance(written, Raw):
        raise Unreadable(f'"{key}" must be a list, so it is kept as a property.')
    if name == "tags":
        tags = _tags(written, as_written=as_written)
        left_out.extend(f"One of the {key} is left out: {reason}" for reason in tags.left_out)
        return tags.kept
    if name in ("created", "updated"):
        moment = dates.parse(_link_text(written) or "")
        if moment is None:
            raise Unreadable(f'"{key}" is kept as a property: {_shown(written)} is not a date.')
        value: object = moment
    else:
        value = written.text if isinstance(written, Scalar) else {}
        if name == "title" and isinstance(value, str) and not value.strip(BLANK):
            return None
    try:
        return valid(name, value)
    except Unreadable as error:
        raise Unreadable(f"{str(error)[:-1]}, so it is kept as a property.") from None


def _id(written: Written) -> str | None:
    text = written.text.lower() if isinstance(written, Scalar) else ""
    return text if re.fullmatch(UUID_PATTERN, text) else None


@dataclass(frozen=True)
class _Tags:
    kept: list[str]
    left_out: list[str]


def _tags(written: Written, *, as_written: bool) -> _Tags:
    """A list, or text: `one, two`, `#one #two`, `one two` (Jekyll). Tags that differ only in case are one."""
    left_out: list[str] = []
    if isinstance(written, Items):
        items = [item for item in written.items if item.value is not None]
        left_out += [f"{_shown(item)} is not text." for item in items if not isinstance(item, Scalar)]
        texts = [item.text for item in items if isinstance(item, Scalar)]
    else:
        text = written.text if isinstance(written, Scalar) else ""
        texts = text.split("," if "," in text else None)
    tags: dict[str, str] = {}
    for one in texts:
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


def _link_text(written: Written) -> str | None:
    """A link without quotes, `[[2021-02-03]]`, is a list in a list to YAML."""
    while isinstance(written, Items) and len(written.items) == 1:
        written = written.items[0]
    return written.text if isinstance(written, Scalar) else None


def _shown(written: Written) -> str:
    text = written.text if isinstance(written, Scalar) else written.value if isinstance(written, Raw) else None
    return "a nested value" if text is None else f'"{_shortened(text)}"'


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
