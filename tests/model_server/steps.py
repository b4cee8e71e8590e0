"""The answers to one request, one class each."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

PARAGRAPH_WORDS = 50

_WORD = re.compile(r"\s*\S+|\s+$")


@dataclass(frozen=True)
class Text:
    """An answer with one token per word; as fast as the client reads them if `tokens_per_second` is None."""

    text: str
    tokens_per_second: float | None = None

    def tokens(self) -> Iterator[str]:
        return _tokens(self.text)


@dataclass(frozen=True)
class Stamps:
    """An answer of `count` tokens; each is the time at which it was sent, in nanoseconds of the monotonic clock."""

    count: int
    tokens_per_second: float | None = None

    def tokens(self) -> Iterator[str]:
        return (f" {time.monotonic_ns()}" for _ in range(self.count))


@dataclass(frozen=True)
class Calls:
    """Tool calls, all in one answer: name and arguments of each (a string is sent unchanged, JSON or not).

    The arguments are sent in parts of `split` characters, after `text`, if there is any.
    """

    calls: Sequence[tuple[str, dict[str, Any] | str]]
    split: int = 16
    text: str = ""


@dataclass(frozen=True)
class Status:
    """An error of the provider: an HTTP status, with `Retry-After` in seconds if given."""

    status: int
    retry_after: float | None = None
    message: str | None = None


@dataclass(frozen=True)
class Cut:
    """A truncated answer: the connection closes after some tokens.

    `clean`: the HTTP body ends properly, only the rest of the answer is missing, as with a failing proxy.
    """

    after_tokens: int = 5
    clean: bool = False

    def tokens(self) -> Iterator[str]:
        return islice(_endless(), self.after_tokens)


@dataclass(frozen=True)
class Hang:
    """An answer that hangs after some tokens, or before its headers if `after_tokens` is None; the connection stays
    open."""

    after_tokens: int | None = None

    def tokens(self) -> Iterator[str]:
        return islice(_endless(), self.after_tokens or 0)


@dataclass(frozen=True)
class Replay:
    """A recorded response body of some server, in one part or in several with a pause of `pause` seconds between them.
    If `is_cut`, the connection closes before the end; if it `hangs`, the connection stays open without an end."""

    parts: Sequence[bytes]
    status: int = 200
    content_type: str = "text/event-stream"
    pause: float = 0.0
    is_cut: bool = False
    hangs: bool = False


@dataclass(frozen=True)
class OpenAnswer:
    """An answer that streams until the test calls `finish()`, independent of the machine's speed.

    `text` is sent at once. Then numbered words follow in paragraphs, `tokens_per_second`, until the test finishes the
    answer; None: nothing follows. `ending` comes last. One call finishes every answer that this step gives; a request
    that comes later is answered with `text` and `ending`.
    """

    text: str = ""
    ending: str = ""
    tokens_per_second: float | None = 100.0
    _finished: asyncio.Event = field(default_factory=asyncio.Event)

    def finish(self) -> None:
        self._finished.set()

    async def tokens(self) -> AsyncIterator[str]:
        for token in _tokens(self.text):
            yield token
        if self.tokens_per_second is None:
            await self._finished.wait()
        else:
            async for token in self._paced(1 / self.tokens_per_second):
                yield token
        for token in _tokens(self.ending):
            yield token

    async def _paced(self, seconds: float) -> AsyncIterator[str]:
        now = asyncio.get_running_loop().time
        began = now()
        for number, word in enumerate(_endless(), 1):
            if self._finished.is_set():
                return
            yield f"{word}.\n\n" if number % PARAGRAPH_WORDS == 0 else word
            await asyncio.sleep(began + number * seconds - now())


Step = Text | Stamps | Calls | Status | Cut | Hang | OpenAnswer | Replay


def _tokens(text: str) -> Iterator[str]:
    return (match.group() for match in _WORD.finditer(text))


def _endless() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f" word{number}"
