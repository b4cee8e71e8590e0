"""A minimal Socket.IO client over a WebSocket, with the compression that browsers offer."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

PATH = "/ws/socket.io/?EIO=4&transport=websocket"
PING, PONG, CONNECT, EVENT, ACK, REFUSED = b"2", "3", b"40", b"42", b"43", b"44"
CALL_SECONDS = 60.0


class SocketIo:
    """`on_event` gets the JSON text of each event: `["name", …]`."""

    def __init__(self, on_event: Callable[[bytes], None]) -> None:
        loop = asyncio.get_running_loop()
        self.id: asyncio.Future[str] = loop.create_future()
        self._on_event = on_event
        self._calls: list[asyncio.Future[None]] = []
        self._socket: ClientConnection
        self._reading: asyncio.Task[None]

    async def open(self, url: str, auth: Mapping[str, str], cookie: str = "") -> None:
        headers = {"Origin": url} | ({"Cookie": cookie} if cookie else {})
        self._socket = await connect(
            f"ws://{urlsplit(url).netloc}{PATH}", additional_headers=headers, max_size=None, ping_interval=None
        )
        await self._socket.recv()  # the server's settings
        await self._socket.send("40" + json.dumps(auth))
        self._reading = asyncio.ensure_future(self._read())
        await asyncio.wait_for(asyncio.shield(self.id), CALL_SECONDS)

    async def close(self) -> None:
        self._reading.cancel()
        await self._socket.close()

    async def emit(self, name: str, *values: Any) -> None:
        await self._socket.send("42" + json.dumps([name, *values]))

    async def call(self, name: str, *values: Any) -> None:
        """Emits an event and waits for the server's acknowledgement."""
        done = asyncio.get_running_loop().create_future()
        self._calls.append(done)
        await self._socket.send(f"42{len(self._calls) - 1}" + json.dumps([name, *values]))
        await asyncio.wait_for(done, CALL_SECONDS)

    async def _read(self) -> None:
        try:
            while True:
                await self._receive(await self._socket.recv(decode=False))
        except ConnectionClosed as closed:
            self._lose(closed)

    async def _receive(self, packet: bytes) -> None:
        if packet.startswith(EVENT):
            self._on_event(packet[2:])
        elif packet == PING:
            await self._socket.send(PONG)
        elif packet.startswith(ACK):
            number = packet[2:].partition(b"[")[0]
            self._calls[int(number)].set_result(None)
        elif packet.startswith(CONNECT):
            self.id.set_result(json.loads(packet[2:])["sid"])
        elif packet.startswith(REFUSED):
            self._lose(ConnectionError(packet.decode()))

    def _lose(self, error: Exception) -> None:
        for waiting in (self.id, *self._calls):
            if not waiting.done():
                waiting.set_exception(error)
