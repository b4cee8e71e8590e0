"""One client's stream of a run, as Server-Sent Events: a raw ASGI response, for a generator costs more per token."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.live.event import LiveEvent
from gateway.live.run_reader import RunReader
from gateway.live.sessions import OpenSessions
from gateway.live.streams import OpenStreams

log = structlog.stdlib.get_logger()

HEADERS = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
PREAMBLE = b"retry: 1000\n"
"""Ends with one line break, as the heartbeat does: a blank line would make some clients see an empty event."""
HEARTBEAT = b":\n"
HEARTBEAT_SECONDS = 9.5
MAX_BEHIND = 256 * 1024
"""Bytes that may wait for a client; it is then cut off, and resumes after the last event that it has."""
ROOM_BELOW = 64 * 1024
STALLED_SECONDS = 60.0
"""How long a client may take nothing at all."""


class EventStream(Response):
    """The sink of a reader, and the response that carries it. Ends with its session; who comes back is told why."""

    media_type = "text/event-stream"

    def __init__(self, streams: OpenStreams, sessions: OpenSessions, session_id: str) -> None:
        super().__init__(headers=HEADERS)
        del self.headers["content-length"]
        self._streams = streams
        self._sessions = sessions
        self._session_id = session_id
        self._frames: list[bytes] = [PREAMBLE]
        self._bytes = 0
        self._ended = False
        self._cut = False
        self._loop = asyncio.get_running_loop()
        self._wake: asyncio.Future[None] | None = None
        self._taken = asyncio.Event()
        self._wrote = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._abort: Callable[[], None] = _nothing
        self.reader: RunReader | None = None

    def put(self, event: LiveEvent) -> None:
        if self._bytes > MAX_BEHIND:
            return self.cut()
        self._frames.append(event.frame)
        self._bytes += len(event.frame)
        self._notify()

    def end(self) -> None:
        """What was put still goes out; then the response ends."""
        self._ended = True
        self._notify()

    def cut(self) -> None:
        """The client is gone, or so far behind that it might as well be."""
        self._cut = True
        self._abort()  # a writer may wait for the client for ever
        self._notify()

    async def room(self) -> None:
        while self._bytes > ROOM_BELOW and not self._cut:
            self._taken.clear()
            await self._taken.wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.reader is not None
        self._abort = scope.get("extensions", {}).get("inkstream.abort", _nothing)
        self._streams.opened(self)
        disconnected = asyncio.ensure_future(self._watch(receive))
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            self._beat()
            with self._sessions.holding(self._session_id, self.end):
                await self._write(send)
        finally:
            self._streams.closed(self)
            self.reader.close()
            if self._timer:
                self._timer.cancel()
            if self._cut:
                self._abort()
                await asyncio.wait({disconnected}, timeout=1)  # the server wants to know before the response returns
            disconnected.cancel()

    async def _write(self, send: Send) -> None:
        while not self._cut:
            if self._frames:
                frames, self._frames, self._bytes = self._frames, [], 0
                self._streams.wrote(len(frames))
                await send(_body(b"".join(frames), more=True))
                self._wrote = self._loop.time()
                self._taken.set()
            elif self._ended:
                return await send(_body(b"", more=False))
            else:
                self._wake = self._loop.create_future()
                await self._wake

    async def _watch(self, receive: Receive) -> None:
        """`send` stays silent after a disconnect; only `receive` tells."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.cut()

    def _beat(self) -> None:
        """One timer for the life of the stream, instead of one for each wait."""
        silent = self._loop.time() - self._wrote
        if silent >= STALLED_SECONDS:
            return self.cut()
        if silent >= HEARTBEAT_SECONDS and not self._frames:
            self._frames.append(HEARTBEAT)
            self._notify()
            silent = 0.0
        self._timer = self._loop.call_later(max(HEARTBEAT_SECONDS - silent, 0.05), self._beat)

    def _notify(self) -> None:
        if self._wake and not self._wake.done():
            self._wake.set_result(None)


def _nothing() -> None:
    """Another server than ours has no way to cut a connection; its own time-outs must do."""


def _body(chunk: bytes, *, more: bool) -> dict[str, Any]:
    return {"type": "http.response.body", "body": chunk, "more_body": more}
