"""Text as search sees it: without accents, and without punctuation that PostgreSQL's parser would read as part of an
address, a path or a number. Character by character, so that a place in folded text is the same place in the original.
"""

import unicodedata

ALPHABETS = (range(0xC0, 0x250), range(0x370, 0x530), range(0x1E00, 0x2000))
"""Latin, Greek and Cyrillic. Elsewhere a mark above a letter may change the word."""
ALIKE = dict(zip("øØłŁđĐħĦıŧŦς", "oOlLdDhHitTσ", strict=True))
FULL_WIDTH, WIDER = range(0xFF01, 0xFF5F), 0xFEE0
"""ASCII as wide as a Chinese character, and how far from ASCII."""


def _without_accent(letter: str) -> str:
    first, *marks = unicodedata.normalize("NFD", letter)
    return first if marks and all(unicodedata.combining(mark) for mark in marks) else letter


def _spaces() -> dict[int, str]:
    """ASCII's punctuation, and typographic dashes, quotes and dots."""
    return {code: " " for code in [*range(0x80), *range(0x2010, 0x2028)] if not chr(code).isalnum()}


NARROW = (
    {code: _without_accent(chr(code)) for alphabet in ALPHABETS for code in alphabet}
    | {ord(letter): plain for letter, plain in ALIKE.items()}
    | _spaces()
)
FOLDED = NARROW | {code: NARROW.get(code - WIDER, chr(code - WIDER)) for code in FULL_WIDTH}


def composed(text: str) -> str:
    """The text with every accent in one character with its letter, as `fold` needs it."""
    return unicodedata.normalize("NFC", text)


def fold(text: str) -> str:
    """Folds composed text. The result is exactly as long."""
    return text.translate(FOLDED)


def sort_key(title: str) -> str:
    """Sorts titles by their letters, whatever their case and accents."""
    return fold(composed(title)).casefold()
