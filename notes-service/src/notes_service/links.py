"""The links to notes in a text, and the names that a link may mean.

    [[Note]] [[Folder/Note#Heading|shown]] [[Note^block]] ![[Note]] [shown](../Note.md#heading) [shown][reference]

Markdown's own parser tells links from code. A link is told by names, of which the most literal comes first: a title may
have a `#` or end in `.md`, and only where no note is called so, these have their meaning in a link.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from contracts.note_links import LINK_MAX_CHARACTERS, LINKS_MAX
from notes_service.folding import link_key
from notes_service.plain_text import MARKDOWN

KEY_MAX_BYTES = 2_400
"""The length of an index row is limited. The longest title has as many bytes at most, the longest name of a file fewer.
"""
WIKI_LINK = re.compile(r"!?\[\[(?P<name>[^\[\]|\n]+?)(?:\\?\|(?P<label>[^\[\]\n]*))?\]\]")
ENDING = re.compile(r"\.(md|markdown|txt|html)$", re.IGNORECASE)
"""Not part of the name: of files with notes, and of pages that are made of them."""
SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
MEDIA = re.compile(
    r"\.(apng|avif|bmp|canvas|css|csv|docx?|gif|heic|jpe?g|js|json|m4a|m4v|mkv|mov|mp3|mp4|ogg|ogv|opus|pdf|png|pptx?"
    r"|svg|tiff?|wav|webm|webp|xlsx?|zip)$",
    re.IGNORECASE,
)
PART = re.compile(r"(?<!^)[#^]")
"""Where a heading or a block may begin."""
CUTS_MAX = 4
DENDRON_VAULT = re.compile(r"dendron://[^/]*/")
DENDRON_NAME = re.compile(r"(dendron://\S+|[^\s./#]+(\.[^\s./#]+)+)(#\S*)?")
"""A hierarchical name. Dendron writes it after the label: `[[label|projects.inkstream]]`."""


@dataclass(frozen=True, slots=True)
class LinkTarget:
    """`names`: what may be the note's name, with folders or without; at least one. `parents`: how many folders above
    that of the linking note they begin; None if at the root."""

    names: tuple[str, ...]
    parents: int | None

    @property
    def keys(self) -> list[str]:
        """The keys of the names that are short enough to be stored."""
        keys = dict.fromkeys(map(link_key, self.names))
        return [key for key in keys if len(key.encode()) <= KEY_MAX_BYTES]


@dataclass(frozen=True, slots=True)
class Link:
    """A link in a text. `start`, `end`: where in the text, in bytes of UTF-8, the note is named: in a wiki link before
    its label, else the destination, without angle brackets. Both are 0 where that cannot be told."""

    text: str
    target: LinkTarget
    start: int = 0
    end: int = 0

    @property
    def is_wiki(self) -> bool:
        return self.text.startswith("[[")


def link_keys(body: str) -> set[str]:
    """The keys of all names that the first `LINKS_MAX` links of a text may mean."""
    return {key for link in links(body) for key in link.target.keys}


def links(body: str) -> list[Link]:
    """The first `LINKS_MAX` links to notes, in order. Links that differ in nothing but their place count once; links by
    reference follow the others."""
    if "[[" not in body and "](" not in body and "]:" not in body:
        return []
    return list(_Parser(body).first(LINKS_MAX))


def all_links(body: str) -> list[Link]:
    """As `links`, every one of them."""
    return list(_Parser(body).links())


def link_target(text: str) -> LinkTarget | None:
    """What a link means, as it is written: `[[…]]`, or the destination of a Markdown link. None if it cannot lead to a
    note."""
    if len(text) > LINK_MAX_CHARACTERS:
        return None
    if text.startswith(("[[", "![[")):
        match = WIKI_LINK.fullmatch(text)
        return _wiki_target(match["name"], match["label"] or "") if match else None
    return _url_target(text)


def _wiki_target(name: str, label: str) -> LinkTarget | None:
    names = _meanings(name.strip())
    if DENDRON_NAME.fullmatch(label.strip()):
        names += _meanings(label.strip())
    return _target(names)


def _url_target(url: str) -> LinkTarget | None:
    if SCHEME.match(url):
        return None
    path = unquote(url.partition("#")[0]).rstrip("/")
    if MEDIA.search(path) or ("?" in path and not ENDING.search(path)) or "\n" in path or "\0" in path:
        return None
    return _target([path, ENDING.sub("", path)])


def _meanings(name: str) -> list[str]:
    """A name as it is written, then without the heading or block behind it, the longest first, as a title may have a
    `#` too; at last all of these without the ending of a file."""
    name = DENDRON_VAULT.sub("", name, count=1)
    cuts = [match.start() for match in PART.finditer(name)][-CUTS_MAX:]
    names = [name, *(name[:cut].rstrip() for cut in reversed(cuts))]
    return [*names, *(ENDING.sub("", one) for one in names)]


def _target(names: list[str]) -> LinkTarget | None:
    parents: int | None = None if names[0].startswith("/") else 0
    kept: dict[str, None] = {}
    for name in names:
        segments: list[str] = []
        for segment in name.split("/"):
            if segment == "..":
                if segments:
                    segments.pop()
                elif parents is not None and name == names[0]:
                    parents += 1
            elif segment not in ("", "."):
                segments.append(segment)
        if segments:
            kept["/".join(segments)] = None
    return LinkTarget(tuple(kept), parents) if kept else None


class _Parser:
    """Reads a text once. `pyromark` tells the places of links, but not of their destinations."""

    def __init__(self, body: str) -> None:
        self._body = body
        self._data = body.encode()
        self._references: dict[str, None] = {}

    def first(self, most: int) -> Iterator[Link]:
        seen: set[str] = set()
        for link in self.links():
            if link.text not in seen:
                yield link
                seen.add(link.text)
            if len(seen) == most:
                return

    def links(self) -> Iterator[Link]:
        open_links: list[tuple[dict[str, Any], int, int]] = []
        for event, place in MARKDOWN.events_with_range(self._body):
            start, end = place["start"], place["end"]
            if isinstance(event, dict):
                kind, value = next(iter(event.items()))
                if kind == "Start" and (opened := _opened(value)):
                    open_links.append((opened, start, start + 1))
                    continue
                if kind == "End" and value in ("Link", "Image") and open_links:
                    found, _, text_end = open_links.pop()
                    yield from self._link(found, start, end, text_end)
            if open_links:
                found, began, _ = open_links[-1]
                open_links[-1] = (found, began, end)
        yield from self._referenced()

    def _link(self, found: dict[str, Any], start: int, end: int, text_end: int) -> Iterator[Link]:
        kind = found["link_type"]
        if isinstance(kind, dict):  # a wiki link
            yield from self._wiki(self._data[start:end].decode(), start)
        elif kind == "Inline" and (target := _url_target(found["dest_url"])):
            at = self._data.find(b"](", text_end, end)
            yield Link(found["dest_url"], target, *(_destination(self._data, at + 2) if at >= 0 else (0, 0)))
        elif kind in ("Reference", "Collapsed", "Shortcut"):
            self._references[found["id"]] = None

    def _wiki(self, source: str, start: int) -> Iterator[Link]:
        match = WIKI_LINK.fullmatch(source)
        if match and (target := _wiki_target(match["name"], match["label"] or "")):
            name = match["name"]
            before = len(source[: match.start("name")].encode()) + len(name) - len(name.lstrip())
            begin = start + before
            yield Link(source.removeprefix("!"), target, begin, begin + len(name.strip().encode()))

    def _referenced(self) -> Iterator[Link]:
        if not self._references:
            return
        definitions = {label.casefold(): one for label, one in MARKDOWN.reference_definitions(self._body).items()}
        for label in dict.fromkeys(map(str.casefold, self._references)):
            if (one := definitions.get(label)) and (target := _url_target(one["dest"])):
                place = one["span"]
                at = self._data.find(b"]:", place["start"], place["end"])
                yield Link(one["dest"], target, *(_destination(self._data, at + 2) if at >= 0 else (0, 0)))


def _opened(value: Any) -> dict[str, Any] | None:
    """What an event says of the link or picture that begins there; None if it is of something else."""
    return value.get("Link") or value.get("Image") if isinstance(value, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def _destination(data: bytes, at: int) -> tuple[int, int]:
    """Where the destination is that follows: in angle brackets, or up to a blank or the closing parenthesis."""
    while data[at : at + 1].isspace():
        at += 1
    if data[at : at + 1] == b"<":
        end = data.find(b">", at)
        return at + 1, end if end >= 0 else len(data)
    end, depth = at, 0
    while end < len(data) and not data[end : end + 1].isspace():
        character = data[end : end + 1]
        if character == b"\\":
            end += 1
        elif character == b"(":
            depth += 1
        elif character == b")":
            if depth == 0:
                break
            depth -= 1
        end += 1
    return at, min(end, len(data))
