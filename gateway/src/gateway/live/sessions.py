"""The sessions in whose name a stream or a WebSocket is open here: they end with their session."""

from collections.abc import Awaitable, Callable, Collection

import orjson

from gateway.accounts.models import SESSIONS_ENDED
from servicekit.background import LoopHealth, repeat

CHECK_SECONDS = 30.0
"""A signal says at once that a session has ended. It may be lost, so that open sessions are also looked up."""


class OpenSessions:
    """`valid` returns those of some session ids whose sessions have not ended."""

    def __init__(self, valid: Callable[[Collection[str]], Awaitable[set[str]]]) -> None:
        self._valid = valid
        self._ends: dict[str, list[Callable[[], None]]] = {}

    def add(self, session_id: str, end: Callable[[], None]) -> None:
        """Calls `end` when the session ends, until `discard`."""
        self._ends.setdefault(session_id, []).append(end)

    def discard(self, session_id: str, end: Callable[[], None]) -> None:
        ends = self._ends[session_id]
        ends.remove(end)
        if not ends:
            del self._ends[session_id]

    def on_signal(self, data: bytes) -> bool:
        """Whether a user's signal was one between gateways, which no client gets."""
        if SESSIONS_ENDED.encode() not in data:
            return False
        signal = orjson.loads(data)
        if signal["type"] != SESSIONS_ENDED:
            return False
        self._end(signal["ids"])
        return True

    async def watch(self, loops: LoopHealth) -> None:
        """Runs until cancelled. While the database is away, sessions count as valid."""
        await repeat("open sessions", self._check, CHECK_SECONDS, loops)

    async def _check(self) -> None:
        if registered := list(self._ends):
            self._end(set(registered) - await self._valid(registered))

    def _end(self, session_ids: Collection[str]) -> None:
        for session_id in session_ids:
            for end in list(self._ends.get(session_id, ())):
                end()
