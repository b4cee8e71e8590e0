"""Prepares texts and queries for the full-text index.

Accents are folded, some letters are expanded to two, and vowel marks are removed. In scripts without spaces between
words, PostgreSQL parses a sentence as one word; there every pair of neighbouring letters becomes a word, 日本語 as 日本
and 本語: letter bigrams, as in Lucene's CJKAnalyzer.
"""

import re
from itertools import islice, pairwise

from notes_service.folding import composed, fold

EXPANDED = {"ß": "ss", "ẞ": "SS", "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl"}
VOWEL_MARKS = "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670"
"""Optional marks of Hebrew and Arabic, including the Arabic tatweel: with or without them, it is the same word."""
REPLACED = re.compile(f"[{''.join(EXPANDED)}{VOWEL_MARKS}]")
"""A letter that is expanded or left out."""
UNSPACED = (
    "["
    "\u0e01-\u0e4e"  # Thai
    "\u0e81-\u0edf"  # Lao
    "\u1000-\u109f"  # Myanmar
    "\u1780-\u17d3"  # Khmer
    "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han
    "]"
)
"""A letter of a script without spaces between words."""
UNSPACED_RUN = re.compile(f"{UNSPACED}+")


PLACES = 16_383
"""Words of a text whose places PostgreSQL tells apart: all later ones are at the last place."""
MORE_WORDS = 32_768
"""Different words behind those that are indexed. Each takes PostgreSQL 5 µs. No novel has as many words, nor has a
Chinese note of the largest size as many different pairs of letters; 85,000 random characters have twice as many."""


def index_text(text: str) -> str:
    """A text as it is indexed. The last letter of an unspaced run is added as a token of its own: a search for one
    letter matches prefixes of bigrams, and no bigram begins with the last letter. After the first `PLACES` words, each
    new word is added once, up to `MORE_WORDS`: repetitions would take time and add nothing."""
    spaced = UNSPACED_RUN.sub(
        lambda run: f" {' '.join(_bigrams(run[0]))} {run[0][-1]} ", _replace_letters(fold(composed(text)))
    )
    words = spaced.split(maxsplit=PLACES)
    if len(words) <= PLACES:
        return spaced
    rest = words.pop()
    known = set(words)
    new = (word for word in dict.fromkeys(rest.split()) if word not in known)
    return " ".join([*words, *islice(new, MORE_WORDS)])


def query_text(text: str) -> str:
    """Folded text as a query: an unspaced run as its bigrams, a single letter as itself."""
    return UNSPACED_RUN.sub(lambda run: f" {' '.join(_bigrams(run[0]) or run[0])} ", _replace_letters(text))


def _replace_letters(text: str) -> str:
    return REPLACED.sub(lambda letter: EXPANDED.get(letter[0], ""), text)


def _bigrams(run: str) -> list[str]:
    return [first + second for first, second in pairwise(run)]
