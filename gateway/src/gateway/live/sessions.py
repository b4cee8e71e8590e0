"""The sessions in whose name something is open here: when one ends, its streams and sockets do."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Generator
from contextlib import contextmanager

import orjson

from contracts.errors import ServiceUnavailable

CHECK_SECONDS = 30.0
"""An ended session is told of at once; this finds those whose news was lost."""
SESSIONS_ENDED = "sessions_ended"
"""The type of a signal between gateways: `ids` of sessions that are over."""


class OpenSessions:
    """`still_valid` answers which of some sessions stand."""

    def __init__(self, still_valid: Callable[[Collection[str]], Awaitable[set[str]]]) -> None:
        self._still_valid = still_valid
        self._ends: dict[str, list[Callable[[], None]]] = {}

    @contextmanager
    def holding(self, session_id: str, end: Callable[[], None]) -> Generator[None]:
        """Calls `end` when the session is over, should that happen inside the block."""
        ends = self._ends.setdefault(session_id, [])
        ends.append(end)
        try:
            yield
        finally:
            ends.remove(end)
            if not ends:
                self._ends.pop(session_id, None)

    def hear(self, signal: bytes) -> bool:
        """Whether this is a word between gateways, which no client is to hear."""
        if SESSIONS_ENDED.encode() not in signal:
            return False
        told = orjson.loads(signal)
        if told["type"] != SESSIONS_ENDED:
            return False
        self._end(told["ids"])
        return True

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            held = list(self._ends)
            if not held:
                continue
            try:
                self._end(set(held) - await self._still_valid(held))
            except ServiceUnavailable:
                continue  # nobody can tell: a session keeps the benefit of the doubt until someone can

    def _end(self, session_ids: Collection[str]) -> None:
        for session_id in session_ids:
            for end in list(self._ends.get(session_id, ())):
                end()
