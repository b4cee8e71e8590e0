"""What the server answers to one request, a class each."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

_WORD = re.compile(r"\s*\S+|\s+$")


@dataclass(frozen=True)
class Text:
    """An answer in words, a token each; as fast as the reader takes them where `tokens_per_second` is None."""

    text: str
    tokens_per_second: float | None = None

    def tokens(self) -> Iterator[str]:
        return (match.group() for match in _WORD.finditer(self.text))


@dataclass(frozen=True)
class Stamps:
    """An answer of `count` tokens that each tell when they were sent: nanoseconds of the system's monotonic clock."""

    count: int
    tokens_per_second: float | None = None

    def tokens(self) -> Iterator[str]:
        return (f" {time.monotonic_ns()}" for _ in range(self.count))


@dataclass(frozen=True)
class Calls:
    """Tool calls, all in one answer: name and arguments each (a string goes out as it is, JSON or not).

    The arguments are sent in pieces of `split` characters, after `text`, where there is some.
    """

    calls: Sequence[tuple[str, dict[str, Any] | str]]
    split: int = 16
    text: str = ""


@dataclass(frozen=True)
class Status:
    """An error of the provider: an HTTP status, with `Retry-After` in seconds where given."""

    status: int
    retry_after: float | None = None
    message: str | None = None


@dataclass(frozen=True)
class Cut:
    """An answer that breaks off: the connection closes after some tokens.

    `clean`: the HTTP body ends as it should, only the rest of the answer is missing, as a proxy in trouble does it.
    """

    after_tokens: int = 5
    clean: bool = False

    def tokens(self) -> Iterator[str]:
        return islice(_endless(), self.after_tokens)


@dataclass(frozen=True)
class Hang:
    """An answer that stops coming: not even its headers where `after_tokens` is None; the connection stays open."""

    after_tokens: int | None = None

    def tokens(self) -> Iterator[str]:
        return islice(_endless(), self.after_tokens or 0)


Step = Text | Stamps | Calls | Status | Cut | Hang


def _endless() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f" word{number}"
