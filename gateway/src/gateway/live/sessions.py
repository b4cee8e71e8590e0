"""The sessions in whose name a stream or a WebSocket is open here: they end with their session."""

from collections.abc import Awaitable, Callable, Collection

import structlog

from gateway.accounts.models import SessionsChanged
from gateway.accounts.session_cache import SessionCache
from servicekit.background import LoopHealth, repeat

log = structlog.stdlib.get_logger()

CHECK_SECONDS = 30.0
"""A gateway says at once that it has ended a session. That may be lost, so that open sessions are also looked up."""


class OpenSessions:
    """`valid` returns those of some session ids whose sessions have not ended."""

    def __init__(self, valid: Callable[[Collection[str]], Awaitable[set[str]]], cache: SessionCache) -> None:
        self._valid = valid
        self._cache = cache
        self._ends: dict[str, list[Callable[[], None]]] = {}

    def add(self, session_id: str, end: Callable[[], None]) -> None:
        """Calls `end` when the session ends, until `discard`."""
        self._ends.setdefault(session_id, []).append(end)

    def discard(self, session_id: str, end: Callable[[], None]) -> None:
        ends = self._ends[session_id]
        ends.remove(end)
        if not ends:
            del self._ends[session_id]

    def receive(self, _subject: str, data: bytes) -> None:
        """What a gateway says of sessions, this one included."""
        try:
            changed = SessionsChanged.model_validate_json(data)
        except ValueError:
            log.exception("not understood")
            return
        self._cache.drop(changed.all)
        self._end(changed.ended)

    def reconnected(self) -> None:
        """Messages of other gateways may have been missed; the next check finds what they said of open sessions."""
        self._cache.clear()

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
