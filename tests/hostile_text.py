"""Text that is awkward to index, to fold, to encode or to put into a line: for fields that people fill in."""

import random

DICE = random.Random(7)
ALPHABETS = {
    "composed into three times the bytes": [chr(code) for code in range(0x1D15E, 0x1D165)],
    "two letters in the other case": list("ΐΰᾷﬃẚǰẞ"),
    "four bytes": [chr(code) for code in range(0x20000, 0x2A000)],
    "marks": list("\u0301\u0323\u0344\u0f73"),
    "line breaks and control characters": list("\r\n\t\x01\x1f\x7f\x85\u2028\u2029\ufeffx"),
    "what a subject or a query would take otherwise": list("*>.$%\\'\"&|!:<-(){}[]#_"),
}


def hostile_text(alphabet: str, length: int) -> str:
    """Begins and ends with a letter: titles, tags and messages are stripped."""
    return "a" + "".join(DICE.choices(ALPHABETS[alphabet], k=length - 2)) + "b"
