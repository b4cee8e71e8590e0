"""Text as search compares it: without accents, and without punctuation that PostgreSQL's parser would read as part of
an address, a path or a number.

**Invariant: `fold` maps each character of composed text to exactly one.** So a place in folded text is the same place
in the composed text, which `snippets` relies on. It holds because `str.translate` is given a table from one character
to one: a letter with an accent becomes the letter only where it decomposes into that letter and combining marks, and
letters that would become two (ß, œ, ligatures) are not folded here but in `index_tokens`, whose result nobody maps
back.
"""

import re
import unicodedata

ALPHABETS = (range(0xC0, 0x250), range(0x370, 0x530), range(0x1E00, 0x2000))
"""Latin, Greek and Cyrillic. In other scripts a diacritic may change the word."""
SIMILAR = dict(zip("øØłŁđĐħĦıŧŦς", "oOlLdDhHitTσ", strict=True))
"""Letters whose difference from the base letter is not a combining mark."""
FULL_WIDTH, FULL_WIDTH_OFFSET = range(0xFF01, 0xFF5F), 0xFEE0
"""The full-width forms of ASCII, and their offset from ASCII."""


def _without_accent(letter: str) -> str:
    first, *marks = unicodedata.normalize("NFD", letter)
    return first if marks and all(unicodedata.combining(mark) for mark in marks) else letter


def _spaces() -> dict[int, str]:
    """ASCII's punctuation, and typographic dashes, quotes and dots."""
    return {code: " " for code in [*range(0x80), *range(0x2010, 0x2028)] if not chr(code).isalnum()}


NARROW = (
    {code: _without_accent(chr(code)) for alphabet in ALPHABETS for code in alphabet}
    | {ord(letter): plain for letter, plain in SIMILAR.items()}
    | _spaces()
)
FOLDED = NARROW | {code: NARROW.get(code - FULL_WIDTH_OFFSET, chr(code - FULL_WIDTH_OFFSET)) for code in FULL_WIDTH}
SPELT = {code: letter for code, letter in FOLDED.items() if letter != " "}
"""As `FOLDED`, with punctuation."""
BLANKS = re.compile(r"[\s_-]+")


MARKS_MAX = 30
"""Combining marks in a row, as in Unicode's Stream-Safe Text Format (UAX 15). No language has so many on a letter, and
composing sorts them: Python takes time that grows with the square of their number."""
MARKS = re.compile(rf"[^\w\s\x00-\u02ff]{{{MARKS_MAX + 1},}}")
"""So many characters in a row that may be combining marks: all of those are neither letters nor digits nor spaces."""
MADE_OF_MARKS = "\u0f73\u0f75\u0f81"
"""No marks by themselves, but composing takes them apart into marks."""
JOINER = "\u034f"
"""Combining grapheme joiner: invisible, and marks are not sorted across it."""


def composed(text: str) -> str:
    """The text in NFC, where a letter and its accent are one character, as `fold` requires. If more than `MARKS_MAX`
    combining marks follow each other, there is a `JOINER` after each so many."""
    return text if text.isascii() else unicodedata.normalize("NFC", MARKS.sub(_stream_safe, text))


def _stream_safe(run: re.Match[str]) -> str:
    safe: list[str] = []
    marks = 0
    for character in run[0]:
        marks = marks + 1 if unicodedata.combining(character) or character in MADE_OF_MARKS else 0
        if marks > MARKS_MAX:
            safe.append(JOINER)
            marks = 1
        safe.append(character)
    return "".join(safe)


def fold(text: str) -> str:
    """Folds composed text. The result has the same length."""
    return text.translate(FOLDED)


def sort_key(title: str) -> str:
    """The key by which titles are sorted and compared: without case and accents."""
    return fold(composed(title)).casefold()


def link_key(name: str) -> str:
    """The key by which names in links are compared: without case and accents, with punctuation. A space, `-` and `_`
    are the same, as programs put one for another in file names and addresses."""
    return BLANKS.sub(" ", composed(name).translate(SPELT)).casefold()
