"""What a person typed to search, as PostgreSQL's `websearch_to_tsquery` is to read it."""

import re

from notes_service.folding import FOLDED, composed, fold
from notes_service.spelling import RUN, spelt_query

MARKS = '"-'
"""What means something in a search: a "phrase", a word to -leave out."""
QUOTES = {ord(quote): '"' for quote in "“”„‟«»"}
FOLDED_QUERY = {code: folded for code, folded in FOLDED.items() if chr(code) not in MARKS}
EXCLUDED = re.compile(r"(?<!\S)-(\w[^\s\"]*)")
EXCLUDED_PHRASE = re.compile(r'(?<!\S)-"[^"]*"')
NO_MINUS = re.compile(r"(?<=\w)-+|-{2,}|-(?=\s|$)")
"""A dash inside a word or between two, as in many titles, or before an `--option`."""


def fold_query(typed: str) -> str:
    """Folds a search, keeping its quotes and the minus before a word. A quote that is not closed yet means nothing."""
    parts = composed(typed).translate(QUOTES).split('"')
    parts[::2] = [EXCLUDED.sub(_excluded, part) for part in parts[::2]]  # within quotes a minus is none
    folded = spelt_query(NO_MINUS.sub(" ", '"'.join(parts).translate(FOLDED_QUERY)))
    return " ".join(folded.rsplit('"', 1)) if folded.count('"') % 2 else folded


def phrases_in(query: str) -> list[str]:
    """The phrases of a folded search of two words and more that every match has. None where that depends: on an `or`,
    or on a phrase that is left out."""
    parts = query.split('"')
    outside, quoted = parts[::2], parts[1::2]
    excluding = any(part.rstrip().endswith("-") for part in outside[:-1])
    if excluding or any(word.casefold() == "or" for part in outside for word in part.split()):
        return []
    return [phrase for phrase in quoted if len(phrase.split()) > 1]


def marks_in(typed: str) -> list[str]:
    """What is to be marked in what is found where PostgreSQL cannot tell: the letters without spaces between words, and
    the words that may stand right beside such; not those that are left out."""
    wanted = EXCLUDED.sub(" ", EXCLUDED_PHRASE.sub(" ", composed(typed).translate(QUOTES)))
    words = fold(RUN.sub(" ", wanted)).split()
    return RUN.findall(wanted) + [word for word in words if word.casefold() != "or"]


def _excluded(word: re.Match[str]) -> str:
    """`-black-board` leaves out the two words one after the other, not one of them."""
    words = spelt_query(fold(word[1])).split()
    return f'-"{" ".join(words)}"' if len(words) > 1 else word[0]
