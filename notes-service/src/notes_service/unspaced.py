"""Scripts that put no spaces between words. What PostgreSQL takes for one word of them may be a sentence, so search is
told each two neighbouring letters as a word, 日本語 as 日本 and 本語: letter bigrams, as Lucene's CJKAnalyzer has them.
"""

import re
from itertools import pairwise

RUN = re.compile(
    "["
    "\u0e01-\u0e4e"  # Thai
    "\u0e81-\u0edf"  # Lao
    "\u1000-\u109f"  # Myanmar
    "\u1780-\u17d3"  # Khmer
    "\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"  # Han
    "]+"
)


def spread(text: str) -> str:
    """The text as the index has it. The last letter of a run stands alone once more, as the beginning of no pair."""
    return RUN.sub(lambda run: f" {' '.join(_pairs(run[0]))} {run[0][-1]} ", text)


def spread_query(text: str) -> str:
    """What is looked for: the pairs, or the one letter."""
    return RUN.sub(lambda run: f" {' '.join(_pairs(run[0]) or run[0])} ", text)


def _pairs(run: str) -> list[str]:
    return [first + second for first, second in pairwise(run)]
