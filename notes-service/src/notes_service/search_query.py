"""What a person typed to search, as PostgreSQL's `websearch_to_tsquery` is to read it."""

import re

from notes_service.folding import FOLDED, composed, fold
from notes_service.index_tokens import UNSPACED_RUN, query_text

OPERATORS = '"-'
"""What has a meaning in a search: a "phrase", a word to -leave out."""
QUOTES = {ord(quote): '"' for quote in "“”„‟«»"}
FOLDED_QUERY = {code: folded for code, folded in FOLDED.items() if chr(code) not in OPERATORS}
EXCLUDED = re.compile(r"(?<!\S)-(\w[^\s\"]*)")
EXCLUDED_PHRASE = re.compile(r'(?<!\S)-"[^"]*"')
NO_OPERATOR = re.compile(r"(?<=\w)-+|-{2,}|-(?=\s|$)")
"""A dash inside a word or between two, as in many titles, or before an `--option`."""


def normalize_query(typed: str) -> str:
    """Folds a search, keeping its quotes and the minus before a word. A quote that is not closed yet is ignored."""
    parts = composed(typed).translate(QUOTES).split('"')
    parts[::2] = [EXCLUDED.sub(_excluded, part) for part in parts[::2]]  # a minus within quotes is none
    folded = query_text(NO_OPERATOR.sub(" ", '"'.join(parts).translate(FOLDED_QUERY)))
    return " ".join(folded.rsplit('"', 1)) if folded.count('"') % 2 else folded


def required_phrases(query: str) -> list[str]:
    """The phrases of two words and more of a normalized search that every match has. None where that depends: on an
    `or`, or on a phrase that is left out."""
    parts = query.split('"')
    outside, quoted = parts[::2], parts[1::2]
    excluding = any(part.rstrip().endswith("-") for part in outside[:-1])
    if excluding or any(word.casefold() == "or" for part in outside for word in part.split()):
        return []
    return [phrase for phrase in quoted if len(phrase.split()) > 1]


def highlighted_terms(typed: str) -> list[str]:
    """What to highlight where PostgreSQL cannot: letters of scripts without spaces between words, and the words that
    may stand right beside such letters. Not what is left out."""
    wanted = EXCLUDED.sub(" ", EXCLUDED_PHRASE.sub(" ", composed(typed).translate(QUOTES)))
    words = fold(UNSPACED_RUN.sub(" ", wanted)).split()
    return UNSPACED_RUN.findall(wanted) + [word for word in words if word.casefold() != "or"]


def _excluded(word: re.Match[str]) -> str:
    """`-black-board` leaves out the two words one after the other, not one of them."""
    words = query_text(fold(word[1])).split()
    return f'-"{" ".join(words)}"' if len(words) > 1 else word[0]
