"""One client's stream of a run as Server-Sent Events: a raw ASGI response, cheaper per token than a generator."""

import asyncio
from collections.abc import Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.live.event import LiveEvent
from gateway.live.run_reader import RunReader
from gateway.live.services import LiveServices

HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
PREAMBLE = b"retry: 1000\n"
"""Ends with one line break, as the heartbeat does: some clients take a blank line for an empty event."""
HEARTBEAT = b":\n"
HEARTBEAT_SECONDS = 9.0
"""Of silence; then a heartbeat is due with the next tick."""
MAX_BEHIND = 256 * 1024
"""Bytes that may wait for a client; past this it is disconnected, and resumes after the last event that it has."""
ROOM_BELOW = 64 * 1024
"""Bytes waiting below which a reader may go on reading the log."""
STALLED_SECONDS = 60.0
"""How long a client may take nothing at all."""


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
        self._frames: list[bytes] = [PREAMBLE]
        self._bytes = 0
        self._ended = False
        self._disconnected = False
        self._loop = asyncio.get_running_loop()
        self._wake: asyncio.Future[None] | None = None
        self._drained = asyncio.Event()
        self._written_at = self._loop.time()
        self._abort_connection: Callable[[], None] = _nothing
        self.reader: RunReader | None = None

    def put(self, event: LiveEvent) -> None:
        if self._bytes > MAX_BEHIND:
            return self.disconnect()
        self._frames.append(event.frame)
        self._bytes += len(event.frame)
        self._notify()

    def end(self) -> None:
        """What was put is still sent; then the response ends."""
        self._ended = True
        self._notify()

    def disconnect(self) -> None:
        """The client is gone, or too far behind."""
        self._disconnected = True
        self._abort_connection()  # `send` may be waiting for the client for ever
        self._notify()

    async def room(self) -> None:
        while self._bytes > ROOM_BELOW and not self._disconnected:
            self._drained.clear()
            await self._drained.wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.reader is not None
        self._abort_connection = scope.get("extensions", {}).get("inkstream.abort", _nothing)
        self._streams.add(self)
        watching = asyncio.ensure_future(self._watch_disconnect(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            with self._sessions.registered(self._session_id, self.end):
                await self._write(send)
        finally:
            self._streams.remove(self)
            self.reader.close()
            if self._disconnected:
                self._abort_connection()
                await asyncio.wait({watching}, timeout=1)  # uvicorn must have seen the disconnect before we return
            watching.cancel()

    async def _write(self, send: Send) -> None:
        """Writes whatever has gathered since the last write at once."""
        while not self._disconnected:
            if self._frames:
                frames, self._frames, self._bytes = self._frames, [], 0
                self._streams.count_events(len(frames))
                await send(_body(b"".join(frames), more=True))
                self._written_at = self._loop.time()
                self._drained.set()
            elif self._ended:
                return await send(_body(b"", more=False))
            else:
                self._wake = self._loop.create_future()
                await self._wake

    async def _watch_disconnect(self, receive: Receive) -> None:
        """After a disconnect `send` does nothing; only `receive` reports it."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.disconnect()

    def check_silence(self, now: float) -> None:
        """Sends a heartbeat where one is due, and gives up a client that takes nothing."""
        silent = now - self._written_at
        if silent >= STALLED_SECONDS:
            self.disconnect()
        elif silent >= HEARTBEAT_SECONDS and not self._frames:
            self._frames.append(HEARTBEAT)
            self._notify()

    def _notify(self) -> None:
        if self._wake and not self._wake.done():
            self._wake.set_result(None)


def _nothing() -> None:
    """Servers other than ours have no way to abort a connection; their own time-outs must do."""


def _body(chunk: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": chunk, "more_body": more}
