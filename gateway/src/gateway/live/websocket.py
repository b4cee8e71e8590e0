"""One tab's WebSocket: the user's note changes and signals, in order, within bounds."""

import asyncio
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.websockets import WebSocket, WebSocketDisconnect

from contracts.actor import Actor
from contracts.errors import ServiceUnavailable
from gateway.live.note_feed import NoteFeed
from gateway.live.sources import Sources
from servicekit.background import report

NOT_SIGNED_IN, FOREIGN_ORIGIN, TOO_SLOW, TRY_AGAIN_LATER, INTERNAL_ERROR = 4401, 4403, 4408, 1013, 1011
LOOP = "websocket"
MAX_BEHIND = 256 * 1024
"""Bytes that may wait for a client; past this it is closed, to come back with `since`."""
CLOSE_SECONDS = 2.0


class Socket:
    """The listener for one accepted WebSocket."""

    def __init__(self, websocket: WebSocket, sources: Sources, user_id: str) -> None:
        self._websocket = websocket
        self._hub = sources.hub
        self._loops = sources.loops
        self._user_id = user_id
        self._waiting: deque[str] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()
        self._code: int | None = None
        actor = Actor(kind="user", user_id=user_id)
        self._feed = NoteFeed(sources.nc, sources.loops, actor, self._send, self._send_resync)

    async def serve(self, since: int | None) -> None:
        """Runs until either side ends it. `since`: the cursor of the last note change that the client has."""
        tasks: set[asyncio.Task[None]] = set()
        try:
            await self._hub.join_user(self._user_id, self)
            cursor, lost = await self._feed.prepare(since)
            self._send_message(type="hello", cursor=cursor, server_time=datetime.now(UTC).isoformat())
            if lost:
                self._send_resync()
            self._feed.start()
            tasks = {asyncio.ensure_future(work()) for work in (self._write, self._receive, self._wait_until_ended)}
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except ServiceUnavailable:
            self._code = TRY_AGAIN_LATER
        finally:
            self._hub.leave_user(self._user_id, self)
            self._feed.close()
            for task in tasks:
                task.cancel()
            self._report_bugs(await asyncio.gather(*tasks, return_exceptions=True))
        if self._code:
            await self._close(self._code)

    def on_message(self, topic: str, data: bytes) -> None:
        if topic == "notes":
            self._feed.on_change(data)
        else:
            self._send(data)

    def on_reconnect(self) -> None:
        self._feed.catch_up()

    def sign_out(self) -> None:
        self._end(NOT_SIGNED_IN)

    def _send(self, data: bytes) -> None:
        if self._bytes > MAX_BEHIND:
            return self._end(TOO_SLOW)
        self._waiting.append(data.decode())
        self._bytes += len(data)
        self._wake.set()

    def _send_message(self, **message: Any) -> None:
        self._send(orjson.dumps(message))

    def _send_resync(self) -> None:
        self._send_message(type="resync")

    def _end(self, code: int) -> None:
        self._code = self._code or code
        self._ended.set()

    def _report_bugs(self, results: Sequence[BaseException | None]) -> None:
        bugs = [one for one in results if isinstance(one, Exception) and not isinstance(one, WebSocketDisconnect)]
        for bug in bugs:
            report(LOOP, bug, self._loops)
            self._code = self._code or INTERNAL_ERROR
        if not bugs:
            self._loops.succeeded(LOOP)

    async def _wait_until_ended(self) -> None:
        await self._ended.wait()

    async def _write(self) -> None:
        while True:
            while self._waiting:
                text = self._waiting.popleft()
                try:
                    await self._websocket.send_text(text)
                except RuntimeError:  # closed in the meantime, by the client or because the server stops
                    return
                self._bytes -= len(text.encode())
            self._wake.clear()
            await self._wake.wait()

    async def _receive(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if _is_ping(message.get("text")):
                self._send_message(type="pong")

    async def _close(self, code: int) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._websocket.close(code)
        except TimeoutError:  # the client takes nothing any more
            self._websocket.scope.get("extensions", {}).get("inkstream.abort", lambda: None)()
        except (WebSocketDisconnect, RuntimeError):
            return  # the client has left in the meantime


def _is_ping(text: str | None) -> bool:
    try:
        message: Any = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        return False
    return isinstance(message, dict) and message.get("type") == "ping"  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
