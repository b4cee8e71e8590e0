"""Text as search sees it: without accents, and without punctuation that PostgreSQL's parser would read as part of an
address, a path or a number. Character by character, so that a place in folded text is the same place in the original.
"""

import re
import unicodedata

ALPHABETS = (range(0xC0, 0x250), range(0x370, 0x530), range(0x1E00, 0x2000))
"""Latin, Greek and Cyrillic. Elsewhere a mark above a letter may change the word."""
UNDECOMPOSED = dict(zip("øØłŁđĐħĦıŧŦ", "oOlLdDhHitT", strict=True))
QUERY_MARKS = '"-'
"""What means something in a search: a "phrase", a word to -leave out."""
EXCLUDED_COMPOUND = re.compile(r"(?<!\S)-(\w+(?:[^\w\s\"]+\w+)+)")
"""`-black-board` leaves out the two words one after the other, not one of them."""
NO_MINUS = re.compile(r"(?<=\w)-+|-{2,}|-(?=\s|$)")
"""A dash inside a word or between two, as in many titles, or before an `--option`."""


def _without_accent(letter: str) -> str:
    first, *marks = unicodedata.normalize("NFD", letter)
    return first if marks and all(unicodedata.combining(mark) for mark in marks) else letter


def _spaces() -> dict[int, str]:
    """ASCII's punctuation, and typographic dashes, quotes and dots."""
    return {code: " " for code in [*range(0x80), *range(0x2010, 0x2028)] if not chr(code).isalnum()}


FOLDED = (
    {code: _without_accent(chr(code)) for alphabet in ALPHABETS for code in alphabet}
    | {ord(letter): plain for letter, plain in UNDECOMPOSED.items()}
    | _spaces()
)
FOLDED_QUERY = {code: folded for code, folded in FOLDED.items() if chr(code) not in QUERY_MARKS} | {
    ord(quote): '"' for quote in "“”„‟«»"
}


def composed(text: str) -> str:
    """The text with every accent in one character with its letter, as `fold` needs it."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Folds composed text. The result is exactly as long."""
    return text.translate(FOLDED)


def fold_query(typed: str) -> str:
    """Folds a search, keeping its quotes and the minus before a word."""
    whole = EXCLUDED_COMPOUND.sub(r'-"\1"', composed(typed))
    return NO_MINUS.sub(" ", whole.translate(FOLDED_QUERY))


def sort_key(title: str) -> str:
    """Sorts titles by their letters, whatever their case and accents."""
    return fold(composed(title)).casefold()
