"""Long answers in Markdown: all kinds of blocks, or one endless block."""

import re
from collections.abc import Callable, Iterator
from itertools import count, islice

WORDS = ("the", "note", "that", "you", "keep", "says", "what", "was", "done", "and", "what", "is", "left", "of", "it")
TOKEN = re.compile(r"\s*\S+|\s+$")


def answer(kind: str, tokens: int) -> str:
    """An answer of about `tokens` words."""
    parts: list[str] = []
    words = 0
    begin, part = KINDS[kind]
    for number in count():
        if words >= tokens:
            break
        parts.append(part(number))
        words += len(parts[-1].split())
    return begin + "".join(parts)


def tokens_of(text: str) -> Iterator[str]:
    """A token is a word with the space before it."""
    return (found.group() for found in TOKEN.finditer(text))


def _sentence(number: int, length: int = 14) -> str:
    words = (WORDS[(number * 7 + place * 3) % len(WORDS)] for place in islice(count(), length))
    return " ".join(words).capitalize() + "."


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
    "code": ("```python\n", _code),
    "table": ("| number | what | code | value |\n|---|---|---|---|\n", _row),
    "list": ("", _item),
    "paragraph": ("", _paragraph),
}
"""For each kind, the beginning of an answer and each of its further parts."""
