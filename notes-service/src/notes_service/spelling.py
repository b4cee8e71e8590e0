"""How text is spelt for the index, and what is looked for likewise, where that is not letter for letter.

Scripts that put no spaces between words: what PostgreSQL takes for one word of them may be a sentence, so it is told
each two neighbouring letters as a word, 日本語 as 日本 and 本語: letter bigrams, as Lucene's CJKAnalyzer has them.
"""

import re
from itertools import pairwise

from notes_service.folding import composed, fold

SPELT_OUT = {"ß": "ss", "ẞ": "SS", "œ": "oe", "Œ": "OE", "æ": "ae", "Æ": "AE", "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl"}
VOWEL_MARKS = "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670"
"""Of Hebrew and Arabic, with the line that stretches an Arabic word: written or not, it is the same word."""
LETTERS = re.compile(f"[{''.join(SPELT_OUT)}{VOWEL_MARKS}]")
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
RUN = re.compile(f"{UNSPACED}+")


def spelt(text: str) -> str:
    """Any text as the index has it. The last letter of a run stands alone once more, as the beginning of no pair."""
    return RUN.sub(lambda run: f" {' '.join(_pairs(run[0]))} {run[0][-1]} ", _letters(fold(composed(text))))


def spelt_query(text: str) -> str:
    """Folded text that is looked for: the pairs, or the one letter."""
    return RUN.sub(lambda run: f" {' '.join(_pairs(run[0]) or run[0])} ", _letters(text))


def _letters(text: str) -> str:
    return LETTERS.sub(lambda letter: SPELT_OUT.get(letter[0], ""), text)


def _pairs(run: str) -> list[str]:
    return [first + second for first, second in pairwise(run)]
