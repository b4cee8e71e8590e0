"""Long answers in Markdown, of words: what a model says of it all, or one block that never ends."""

from collections.abc import Callable
from itertools import count, islice

WORDS = ("the", "note", "that", "you", "keep", "says", "what", "was", "done", "and", "what", "is", "left", "of", "it")


def answer(kind: str, tokens: int) -> str:
    """Of about `tokens` words."""
    pieces: list[str] = []
    words = 0
    begin, piece = KINDS[kind]
    for number in count():
        if words >= tokens:
            return begin + "".join(pieces)
        pieces.append(piece(number))
        words += len(pieces[-1].split())
    raise AssertionError("counting does not end")


def _sentence(number: int, length: int = 14) -> str:
    said = (WORDS[(number * 7 + place * 3) % len(WORDS)] for place in islice(count(), length))
    return " ".join(said).capitalize() + "."


def _paragraph(number: int) -> str:
    return f"{_sentence(number)} **{_sentence(number + 1, 4)}** {_sentence(number + 2)} `code {number}` "


def _code(number: int) -> str:
    return f"    value_{number} = compute(value_{number - 1}, step={number % 17})  # {_sentence(number, 6)}\n"


def _row(number: int) -> str:
    return f"| {number} | {_sentence(number, 3)} | `x{number}` | **{number * 3}** |\n"


def _item(number: int) -> str:
    return f"{'  ' * (number % 3)}- {_sentence(number, 9)} [a link](https://example.org/{number})\n"


def _mixed(number: int) -> str:
    table = "| number | what | code | value |\n|---|---|---|---|\n"
    blocks = [
        f"## {number}. {_sentence(number, 5)}\n\n{_paragraph(number)}{_paragraph(number + 1)}\n\n",
        f"```python\n{''.join(_code(number + line) for line in range(12))}```\n\n",
        f"{table}{''.join(_row(number + line) for line in range(8))}\n",
        f"{''.join(_item(3 * number + line) for line in range(9))}\n",
    ]
    return blocks[number % len(blocks)]


KINDS: dict[str, tuple[str, Callable[[int], str]]] = {
    "mixed": ("", _mixed),
    "one code block": ("```python\n", _code),
    "one table": ("| number | what | code | value |\n|---|---|---|---|\n", _row),
    "one list": ("", _item),
    "one paragraph": ("", _paragraph),
}
"""How it begins, and each of its pieces."""
