"""How many tokens a text has at most, nearly: without a tokenizer, which every model has another one of.

Each byte of the text's UTF-8 has a weight by its class. The weights were fitted to OpenAI's o200k and cl100k and to two
of Mistral's tokenizers: docs/models.md has the figures, and says why no tokenizer is used.

The price of estimating upward is an earlier summary; that of estimating downward a request that the server refuses,
which is then repeated with less.
"""

_WHOLE = 32
_CLASSES: tuple[tuple[int, bytes], ...] = (
    (12, bytes(range(ord("a"), ord("z") + 1))),
    (20, bytes(range(ord("A"), ord("Z") + 1))),
    (38, b"0123456789"),
    (3, b" "),
    (32, bytes(byte for byte in range(0x80) if not chr(byte).isalnum() and byte != ord(" "))),
    (20, bytes(range(0x80, 0xC0))),  # continuation bytes
    (20, bytes((*range(0xC0, 0xD0), *range(0xD4, 0xE0)))),  # the first of two: Latin, Greek, Hebrew, Arabic
    (4, bytes(range(0xD0, 0xD4))),  # Cyrillic
    (20, bytes((0xE0,))),  # of three: the scripts of India, Thai, Lao, Tibetan
    (40, bytes((0xE1, 0xE2, 0xEE, 0xEF))),  # Georgian, Ethiopic, Khmer, Burmese; symbols
    (10, bytes(range(0xE3, 0xEE))),  # Chinese, Japanese, Korean
    (48, bytes(range(0xF0, 0x100))),  # of four: emoji, rare characters
)


def estimated_tokens(text: str) -> int:
    """Takes a microsecond for a kilobyte, so that megabytes do not hold up the event loop."""
    data = text.encode("utf-8", "replace")
    weight, rest = 0, data
    for of_class, members in _CLASSES:
        if not rest:
            break
        others = rest.translate(None, members)
        weight += of_class * (len(rest) - len(others))
        rest = others
    return -(-weight // _WHOLE)
