"""What the index over words is given in the place of a text, and what is looked for in it.

Both are the text with its accents folded, some letters written as two, and vowel marks left out. In scripts that put no
spaces between words, PostgreSQL takes a sentence for one word; there every two neighbouring letters are given as a
word, 日本語 as 日本 and 本語: letter bigrams, as in Lucene's CJKAnalyzer.
"""

import re
from itertools import pairwise

from notes_service.folding import composed, fold

EXPANDED = {"ß": "ss", "ẞ": "SS", "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl"}
VOWEL_MARKS = "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670"
"""Of Hebrew and Arabic, with the line that stretches an Arabic word: with or without, it is the same word."""
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


def index_text(text: str) -> str:
    """Any text as the index is given it. The last letter of an unspaced run stands alone, too, so that a search for one
    letter, which begins a pair everywhere else, finds it there."""
    return UNSPACED_RUN.sub(
        lambda run: f" {' '.join(_bigrams(run[0]))} {run[0][-1]} ", _replace_letters(fold(composed(text)))
    )


def query_text(text: str) -> str:
    """Folded text as it is looked for: an unspaced run as its bigrams or, if it is one letter, as that."""
    return UNSPACED_RUN.sub(lambda run: f" {' '.join(_bigrams(run[0]) or run[0])} ", _replace_letters(text))


def _replace_letters(text: str) -> str:
    return REPLACED.sub(lambda letter: EXPANDED.get(letter[0], ""), text)


def _bigrams(run: str) -> list[str]:
    return [first + second for first, second in pairwise(run)]
