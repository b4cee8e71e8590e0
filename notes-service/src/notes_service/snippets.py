"""The excerpt of a note that a search found, as safe HTML with the matches in `<mark>`.

**Invariant: folded text has the same length as the text it is made of, character by character** (see `folding`).
PostgreSQL makes a headline of the folded text: an excerpt of it, with `START` and `STOP` around the matches. Because
the lengths are the same, the place of that excerpt in the folded text is its place in the note, and each of its
characters stands for one of the note's: so the headline's marks are copied into the note's own text, accents and all.
Only then the Markdown becomes plain text and is escaped, and `START` and `STOP`, which no note can contain any more,
become `<mark>`.
"""

import html
import re
from collections.abc import Sequence

from notes_service.folding import composed, fold
from notes_service.index_tokens import UNSPACED, UNSPACED_RUN
from notes_service.plain_text import plain_text

START, STOP = "\ufdd0", "\ufdd1"
"""Mark a match before the text becomes HTML: code points that are not characters, and that `_clean` removes."""
EXCERPT_CHARACTERS = 240
MAX_HEADLINE_CHARACTERS = 1_000
"""A headline has a limited number of words, but a word may be arbitrarily long."""
PART_BEFORE, PART_CHARACTERS = 500, 3_000
"""The part of a text that an excerpt is taken from: it begins so many characters before the first match."""
EMPHASIS = "*_~`"
MARKED = re.compile(f"{START}([^{START}{STOP}]*){STOP}")


def searchable(text: str) -> str:
    """The text from which a headline is made: folded, and without `START` and `STOP`."""
    return fold(_clean(composed(text)))


def matching_part(text: str, terms: Sequence[str]) -> str:
    """The part of a searchable text around the first word that begins with one of the terms; the whole text where none
    does: a word may match in another form. To look for the best excerpt in all of a long text would take too long."""
    lower = f" {text}".lower()
    places = [place for term in terms if (place := lower.find(f" {term.lower()}")) >= 0]
    if not places:
        return text
    start = max(0, min(places) - PART_BEFORE)
    return text[start : start + PART_CHARACTERS]


def snippet(text: str, headline: str, terms: Sequence[str]) -> str | None:
    """`headline` is an excerpt of the searchable text with the matches marked. If PostgreSQL cannot find all matches,
    an excerpt is made here from `terms`. None if there is no match."""
    if terms and (START not in headline or any(map(UNSPACED_RUN.match, terms))):
        headline = _headline(searchable(text), terms) or headline
    if len(headline) > MAX_HEADLINE_CHARACTERS:
        headline = _window(headline, headline.find(START))
    excerpt = headline.replace(START, "").replace(STOP, "")
    start = searchable(text).find(excerpt)
    if START not in headline or start < 0:
        return None
    whole, end = _clean(composed(text)), start + len(excerpt)
    characters = iter(whole[start:end])
    marked = "".join(mark if mark in (START, STOP) else next(characters) for mark in headline)
    return _safe_html(_emphasis_before(whole[:start]) + marked + _emphasis_after(whole[end:]))


def beginning(text: str) -> str:
    """The beginning of the text, which is shown if the match is elsewhere."""
    return _safe_html(_clean(text[:EXCERPT_CHARACTERS]))


def _headline(text: str, terms: Sequence[str]) -> str:
    """Marks letters of scripts without spaces, anywhere in what PostgreSQL parses as a word, and words next to such
    letters. PostgreSQL marks other words itself, unless the excerpt has to be made here because of the letters."""
    longest_first = sorted(terms, key=len, reverse=True)
    patterns = [re.escape(run) for run in longest_first if UNSPACED_RUN.match(run)]
    if not patterns and not UNSPACED_RUN.search(text):
        return ""
    if words := "|".join(re.escape(word) for word in longest_first if not UNSPACED_RUN.match(word)):
        # the surrounding of the words is matched once, not for each of them: a search may have fifty
        after = "" if patterns else rf"(?=\w*{UNSPACED})"
        patterns.append(rf"(?<={UNSPACED})(?:{words})|(?<!\w)(?:{words}){after}")
    pattern = re.compile("|".join(patterns), re.IGNORECASE)
    first = pattern.search(text)
    return pattern.sub(lambda found: f"{START}{found[0]}{STOP}", _window(text, first.start())) if first else ""


def _emphasis_before(text: str) -> str:
    """Markdown's emphasis marks right before an excerpt: without them, the closing marks would be unbalanced."""
    return text[len(text.rstrip(EMPHASIS)) :]


def _emphasis_after(text: str) -> str:
    return text[: len(text) - len(text.lstrip(EMPHASIS))]


def _window(text: str, place: int) -> str:
    start = max(0, place - EXCERPT_CHARACTERS // 4)
    return text[start : start + EXCERPT_CHARACTERS]


def _clean(text: str) -> str:
    return text.replace(START, " ").replace(STOP, " ")


def _safe_html(text: str) -> str:
    escaped = MARKED.sub(r"<mark>\1</mark>", html.escape(plain_text(text, keep_html=True)))
    return escaped.replace(START, "").replace(STOP, "")
