"""Markdown as plain text, for a line in a list."""

from collections.abc import Iterator

import pyromark
from pyromark.event import Event

from contracts.notes import PREVIEW_CHARACTERS

PREVIEW_SOURCE_CHARACTERS = 4096
"""The part of a note from which a preview is made, in characters."""

MARKDOWN = pyromark.Markdown(
    options=pyromark.Options.ENABLE_TABLES
    | pyromark.Options.ENABLE_TASKLISTS
    | pyromark.Options.ENABLE_STRIKETHROUGH
    | pyromark.Options.ENABLE_FOOTNOTES
    | pyromark.Options.ENABLE_WIKILINKS
)
BREAKS = {"SoftBreak", "HardBreak"}
TEXTS = {"Text", "Code"}
HTML = {"Html", "InlineHtml"}
INLINE = {"Emphasis", "Strong", "Strikethrough", "Link", "Image"}


def plain_text(source: str, *, keep_html: bool = False) -> str:
    """The text in one line without Markdown syntax. HTML tags are left out, or kept as text."""
    return " ".join("".join(_texts(source, keep_html)).split())


def preview(body: str) -> str:
    return plain_text(body[:PREVIEW_SOURCE_CHARACTERS])[:PREVIEW_CHARACTERS].rstrip()


def _texts(source: str, keep_html: bool) -> Iterator[str]:
    for event in MARKDOWN.events(source):
        yield _text(event, keep_html)


def _text(event: Event, keep_html: bool) -> str:
    """The text of one event. Checks the event's kind directly, because pattern matching would be slower, and a text has
    hundreds of events."""
    if isinstance(event, str):
        return " " if event in BREAKS else ""
    kind, value = next(iter(event.items()))
    if kind in TEXTS or (keep_html and kind in HTML):
        return str(value)
    if kind == "End":
        return "" if isinstance(value, str) and value in INLINE else " "
    return ""
