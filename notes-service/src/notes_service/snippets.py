"""The piece of a note that a search found, as safe HTML with the matches in `<mark>`."""

import html
import re
from collections.abc import Sequence

from notes_service.folding import composed, fold
from notes_service.plain_text import plain
from notes_service.spelling import RUN, UNSPACED

START, STOP = "\ufdd0", "\ufdd1"
"""Around a match while it is not HTML yet: code points that are no characters, and that no text is left with."""
SHORT_CHARACTERS = 240
LONG_CHARACTERS = 1_000
"""A headline is some words long, and a word may be endless."""
EMPHASIS = "*_~`"
MARKED = re.compile(f"{START}([^{START}{STOP}]*){STOP}")


def searchable(text: str) -> str:
    """The text that a headline is made of: folded, and free of our own marks."""
    return fold(_clean(composed(text)))


def snippet(text: str, headline: str, wanted: Sequence[str]) -> str | None:
    """`headline` is a piece of the searchable text with `START` and `STOP` around the matches. Where PostgreSQL cannot
    see all of them, the piece is made here, of what was `wanted`. None if there is no match."""
    if wanted and (START not in headline or any(map(RUN.match, wanted))):
        headline = _headline(searchable(text), wanted) or headline
    if len(headline) > LONG_CHARACTERS:
        headline = _window(headline, headline.find(START))
    piece = headline.replace(START, "").replace(STOP, "")
    at = searchable(text).find(piece)
    if START not in headline or at < 0:
        return None
    whole, end = _clean(composed(text)), at + len(piece)
    characters = iter(whole[at:end])
    marked = "".join(mark if mark in (START, STOP) else next(characters) for mark in headline)
    return _safe(_last_marks(whole[:at]) + marked + _first_marks(whole[end:]))


def beginning(text: str) -> str:
    """What stands there instead when the match is somewhere else."""
    return _safe(_clean(text[:SHORT_CHARACTERS]))


def _headline(text: str, wanted: Sequence[str]) -> str:
    """Letters of a script without spaces, anywhere in what PostgreSQL takes for a word, and words beside such letters.
    Other words it marks itself, unless the piece has to be made here because of the letters."""
    longest_first = sorted(wanted, key=len, reverse=True)
    patterns = [re.escape(run) for run in longest_first if RUN.match(run)]
    if not patterns and not RUN.search(text):
        return ""
    if words := "|".join(re.escape(word) for word in longest_first if not RUN.match(word)):
        # what stands around them is looked at once, not for each: a search may have fifty words
        after = "" if patterns else rf"(?=\w*{UNSPACED})"
        patterns.append(rf"(?<={UNSPACED})(?:{words})|(?<!\w)(?:{words}){after}")
    pattern = re.compile("|".join(patterns), re.IGNORECASE)
    first = pattern.search(text)
    return pattern.sub(lambda found: f"{START}{found[0]}{STOP}", _window(text, first.start())) if first else ""


def _last_marks(text: str) -> str:
    """Markdown's marks right before a piece: without them, those behind its words have no partner."""
    return text[len(text.rstrip(EMPHASIS)) :]


def _first_marks(text: str) -> str:
    return text[: len(text) - len(text.lstrip(EMPHASIS))]


def _window(text: str, place: int) -> str:
    start = max(0, place - SHORT_CHARACTERS // 4)
    return text[start : start + SHORT_CHARACTERS]


def _clean(text: str) -> str:
    return text.replace(START, " ").replace(STOP, " ")


def _safe(text: str) -> str:
    escaped = MARKED.sub(r"<mark>\1</mark>", html.escape(plain(text, keep_html=True)))
    return escaped.replace(START, "").replace(STOP, "")
