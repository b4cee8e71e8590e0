"""One client's stream of a run as Server-Sent Events, written to the connection directly."""

import asyncio

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.direct_connection import DirectConnection, connection_of
from gateway.live.event import LiveEvent, chunk
from gateway.live.run_reader import RunReader
from gateway.live.services import LiveServices

HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
PREAMBLE = chunk(b"retry: 1000\n")
"""Ends with one line break, as the heartbeat does: some clients take a blank line for an empty event."""
HEARTBEAT = chunk(b":\n")
HEARTBEAT_SECONDS = 9.0
"""Of silence; then a heartbeat is due with the next tick."""
MAX_BEHIND = 256 * 1024
"""Bytes that may wait for a client; past this it is disconnected, and resumes after the last event that it has."""
ROOM_BELOW = 64 * 1024
"""Bytes waiting below which a reader may go on reading the log. The transport reports that a client has taken most of
what waits only if it was this much."""


class EventStream(Response):
    """The sink of a reader, and the response that carries its events. Ends with the session: a client that reconnects
    gets the reason as the status of its request."""

    media_type = "text/event-stream"

    def __init__(self, live: LiveServices, session_id: str) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._streams = live.streams
        self._sessions = live.sessions
        self._session_id = session_id
        self._loop = asyncio.get_running_loop()
        self._connection: DirectConnection | None = None
        self._early: list[bytes] = [PREAMBLE]
        """What comes before the response has begun."""
        self._early_bytes = 0
        self._is_over = False
        """Ended, or too far behind; nothing more is written."""
        self._room = asyncio.Event()
        self._written_at = self._loop.time()
        self.reader: RunReader | None = None

    def put(self, event: LiveEvent) -> None:
        if self._is_over:
            return
        if self._connection is None:
            self._early.append(event.chunk)
            self._early_bytes += len(event.chunk)
            if self._early_bytes > MAX_BEHIND:
                self._is_over = True
        elif self._connection.buffered > MAX_BEHIND:
            self._disconnect(self._connection)
        else:
            self._connection.write(event.chunk)
            self._written_at = self._loop.time()
            self._streams.count_event()

    def end(self) -> None:
        """What was put is still sent; then the response ends."""
        connection, self._is_over = self._connection, True
        if connection is not None:
            self._release()
            connection.end()

    async def room(self) -> None:
        while self._bytes > ROOM_BELOW and not self._is_over:
            self._room.clear()
            await self._room.wait()

    @property
    def _bytes(self) -> int:
        return self._early_bytes if self._connection is None else self._connection.buffered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Returns once the response has begun; from then on the reader writes it."""
        assert self.reader is not None
        connection = connection_of(scope)
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        except BaseException:
            self.reader.close()
            raise
        if not connection.take_over(self):
            return self.reader.close()
        self._connection = connection
        self._streams.add(self)
        self._sessions.add(self._session_id, self.end)
        early, self._early = self._early, []
        connection.write(b"".join(early))
        self._streams.count_event(len(early) - 1)
        if self._early_bytes > MAX_BEHIND:
            self._disconnect(connection)
        elif self._is_over:
            self.end()
        self._room.set()

    def drained(self) -> None:
        self._room.set()

    def lost(self) -> None:
        self._is_over = True
        self._release()

    def check_silence(self, now: float) -> None:
        """Sends a heartbeat where one is due. A client that takes nothing is given up by the server."""
        if now - self._written_at >= HEARTBEAT_SECONDS and self._connection is not None:
            self._connection.write(HEARTBEAT)
            self._written_at = now

    def _disconnect(self, connection: DirectConnection) -> None:
        """The client is too far behind."""
        self._is_over = True
        self._release()
        connection.abort()

    def _release(self) -> None:
        """Safe to repeat."""
        if self._connection is None:
            return
        self._connection = None
        self._streams.remove(self)
        self._sessions.discard(self._session_id, self.end)
        self._room.set()
        if self.reader is not None:
            self.reader.close()
