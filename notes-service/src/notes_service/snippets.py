"""The piece of a note that a search found, as safe HTML with the matches in `<mark>`."""

import html
import re

from notes_service.folding import composed, fold
from notes_service.plain_text import plain

START, STOP = "\ufdd0", "\ufdd1"
"""Around a match while it is not HTML yet: code points that are no characters, and that no text is left with."""
SHORT_CHARACTERS = 240
MARKED = re.compile(f"{START}([^{START}{STOP}]*){STOP}")


def searchable(text: str) -> str:
    """The text that a headline is made of: folded, and free of our own marks."""
    return fold(_clean(composed(text)))


def snippet(text: str, headline: str) -> str | None:
    """`headline` is a piece of the searchable text with `START` and `STOP` around the matches; None if it has none."""
    piece = headline.replace(START, "").replace(STOP, "")
    at = searchable(text).find(piece)
    if START not in headline or at < 0:
        return None
    characters = iter(_clean(composed(text))[at : at + len(piece)])
    return _safe("".join(mark if mark in (START, STOP) else next(characters) for mark in headline))


def beginning(text: str) -> str:
    """What stands there instead when the match is somewhere else."""
    return _safe(_clean(text[:SHORT_CHARACTERS]))


def _clean(text: str) -> str:
    return text.replace(START, " ").replace(STOP, " ")


def _safe(text: str) -> str:
    escaped = MARKED.sub(r"<mark>\1</mark>", html.escape(plain(text, keep_html=True)))
    return escaped.replace(START, "").replace(STOP, "")
