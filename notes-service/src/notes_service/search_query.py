"""Normalizes a typed search for PostgreSQL's `websearch_to_tsquery`."""

import re

from notes_service.folding import FOLDED, composed, fold
from notes_service.index_tokens import UNSPACED_RUN, query_text

OPERATORS = '"-'
"""The operators of a search: a "phrase", a word to -exclude."""
QUOTES = {ord(quote): '"' for quote in "“”„‟«»"}
FOLDED_QUERY = {code: folded for code, folded in FOLDED.items() if chr(code) not in OPERATORS}
EXCLUDED = re.compile(r"(?<!\S)-(\w[^\s\"]*)")
EXCLUDED_PHRASE = re.compile(r'(?<!\S)-"[^"]*"')
NO_OPERATOR = re.compile(r"(?<=\w)-+|-{2,}|-(?=\s|$)")
"""Dashes that are no operators: inside a word or between two, as in many titles, or before an `--option`."""


def normalize_query(typed: str) -> str:
    """Folds a search, but keeps quotes and the minus before a word. An unclosed quote is ignored."""
    parts = composed(typed).translate(QUOTES).split('"')
    parts[::2] = [EXCLUDED.sub(_excluded, part) for part in parts[::2]]  # a minus within quotes is no operator
    folded = query_text(NO_OPERATOR.sub(" ", '"'.join(parts).translate(FOLDED_QUERY)))
    return " ".join(folded.rsplit('"', 1)) if folded.count('"') % 2 else folded


def required_phrases(query: str) -> list[str]:
    """The phrases of at least two words that every match of a normalized search contains. Empty if that depends on an
    `or` or an excluded phrase."""
    parts = query.split('"')
    outside, quoted = parts[::2], parts[1::2]
    excluding = any(part.rstrip().endswith("-") for part in outside[:-1])
    if excluding or any(word.casefold() == "or" for part in outside for word in part.split()):
        return []
    return [phrase for phrase in quoted if len(phrase.split()) > 1]


def highlighted_terms(typed: str) -> list[str]:
    """The terms to highlight where PostgreSQL cannot: letters of scripts without spaces between words, and words that
    may be adjacent to such letters. Excluded words are left out."""
    wanted = EXCLUDED.sub(" ", EXCLUDED_PHRASE.sub(" ", composed(typed).translate(QUOTES)))
    words = fold(UNSPACED_RUN.sub(" ", wanted)).split()
    return UNSPACED_RUN.findall(wanted) + [word for word in words if word.casefold() != "or"]


def _excluded(word: re.Match[str]) -> str:
    """`-black-board` excludes the two words as a phrase, not each of them."""
    words = query_text(fold(word[1])).split()
    return f'-"{" ".join(words)}"' if len(words) > 1 else word[0]
