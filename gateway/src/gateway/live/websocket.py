"""One tab's WebSocket: the user's note changes and signals, in order, within bounds."""

import asyncio
from collections import deque
from datetime import UTC, datetime
from typing import Any

import orjson
from nats.aio.client import Client
from starlette.websockets import WebSocket, WebSocketDisconnect

from contracts.actor import Actor
from contracts.errors import ServiceUnavailable
from gateway.live.hub import Hub
from gateway.live.note_feed import NoteFeed

NOT_SIGNED_IN, FOREIGN_ORIGIN, TOO_SLOW, FULL = 4401, 4403, 4408, 1013
MAX_BEHIND = 256 * 1024
"""Bytes that may wait for a client before it is told to come back with `since`."""
CLOSE_SECONDS = 2.0


class Socket:
    """Listens for one accepted WebSocket."""

    def __init__(self, websocket: WebSocket, nc: Client, user_id: str) -> None:
        self._websocket = websocket
        self._user_id = user_id
        self._waiting: deque[str] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self._over = asyncio.Event()
        self._code: int | None = None
        self._feed = NoteFeed(nc, Actor(kind="user", user_id=user_id), self._send, self._resync)

    async def serve(self, hub: Hub, since: int | None) -> None:
        """Runs until either side ends it."""
        tasks: set[asyncio.Task[None]] = set()
        try:
            await hub.join_user(self._user_id, self)
            cursor, lost = await self._feed.start(since)
            self._tell(type="hello", cursor=cursor, server_time=datetime.now(UTC).isoformat())
            if lost:
                self._resync()
            self._feed.go()
            tasks = {asyncio.ensure_future(work()) for work in (self._write, self._receive, self._until_over)}
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except ServiceUnavailable:
            self._code = FULL
        finally:
            hub.leave_user(self._user_id, self)
            self._feed.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._code:
            await self._close(self._code)

    def on_message(self, topic: str, data: bytes) -> None:
        if topic == "notes":
            self._feed.hear(data)
        else:
            self._send(data)

    def sign_out(self) -> None:
        self._end(NOT_SIGNED_IN)

    def on_reconnect(self) -> None:
        self._feed.catch_up()

    def _send(self, data: bytes) -> None:
        if self._bytes > MAX_BEHIND:
            return self._end(TOO_SLOW)
        self._waiting.append(data.decode())
        self._bytes += len(data)
        self._wake.set()

    def _tell(self, **message: Any) -> None:
        self._send(orjson.dumps(message))

    def _resync(self) -> None:
        self._tell(type="resync")

    def _end(self, code: int) -> None:
        self._code = self._code or code
        self._over.set()

    async def _until_over(self) -> None:
        await self._over.wait()

    async def _write(self) -> None:
        while True:
            while self._waiting:
                text = self._waiting.popleft()
                await self._websocket.send_text(text)
                self._bytes -= len(text.encode())
            self._wake.clear()
            await self._wake.wait()

    async def _receive(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            if _is_ping(message.get("text")):
                self._tell(type="pong")

    async def _close(self, code: int) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._websocket.close(code)
        except TimeoutError:  # it takes not even that
            self._websocket.scope.get("extensions", {}).get("inkstream.abort", lambda: None)()
        except (WebSocketDisconnect, RuntimeError):
            return  # it has gone meanwhile


def _is_ping(text: str | None) -> bool:
    try:
        message: Any = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        return False
    return isinstance(message, dict) and message.get("type") == "ping"  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
