"""The properties of a page in Logseq: lines of `key:: value` at the top of a file, before its first block."""

import re

from pydantic import JsonValue

from notes_service.transfer.written_values import Block, Entry, Items, Scalar, Written, plain
from notes_service.transfer.yaml_block import MAX_CHARACTERS

LINE = re.compile(r"(?P<key>[^\W\d_][\w./?-]*)::(?:[ \t]+(?P<value>[^\r\n]*?)[ \t]*)?(?P<end>\r?\n|\Z)", re.ASCII)
AFTER = re.compile(r"[ \t]*(\r?\n|\Z)|[-*+#] ")
"""What may follow the last line: an empty one, a block, a heading. After other text, the lines are a paragraph."""
LISTS = {"tags", "alias", "aliases"}
"""Properties whose commas separate values. Of others, Logseq splits links only."""
NO_ITEM = re.compile(r"[,\r\n]|\A\s|\s\Z|\A\Z")


def find(text: str) -> Block | None:
    """The lines at the top; None if there are none."""
    entries: list[Entry] = []
    at = 0
    while (match := LINE.match(text, at)) and match.end() > at and at < MAX_CHARACTERS:
        entries.append(Entry(match["key"], _written(match["key"], match["value"] or ""), match[0]))
        at = match.end()
    if not entries or not AFTER.match(text, at):
        return None
    return Block(text[:at], "", entries, "", is_divisible=True, is_certain=True)


def _written(key: str, value: str) -> Written:
    if key.casefold() in LISTS:
        return Items([Scalar(text, text) for one in value.split(",") if (text := one.strip())])
    return Scalar("", None) if not value else plain(value)


def entry(name: str, value: JsonValue) -> str | None:
    """The entry's line, without its end; None for what such a line cannot hold."""
    if not re.fullmatch(r"[^\W\d_][\w./?-]*", name, re.ASCII):
        return None
    if value is None:
        return f"{name}::"
    if isinstance(value, list):
        texts = [item for item in value if isinstance(item, str) and not NO_ITEM.search(item)]
        return f"{name}:: {', '.join(texts)}" if len(texts) == len(value) else None
    if isinstance(value, dict):
        return None
    text = value if isinstance(value, str) else str(value).lower()
    return None if re.search(r"[\r\n]|\A\s|\s\Z|\A\Z", text) else f"{name}:: {text}"
