"""Crowds of readers that only count what they receive: thousands of event streams or WebSockets in this process."""

import asyncio
import socket
import struct
from abc import abstractmethod
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import cast
from urllib.parse import urlsplit

from bench.harness.sse import host_and_port

_HEAD_END = b"\r\n\r\n"
CONNECTS_AT_ONCE = 100
TRIES, RETRY_SECONDS = 60, 0.5
"""Retries of a reader that is refused, as the page does on 503."""
PONG, MASK = 0x8A, 0x80
NO_KEY = bytes(4)
"""Masking with zeros does not change a frame."""
RESET = struct.pack("ii", 1, 0)


class Reader(asyncio.Protocol):
    """Sends one request. `opened` is done with the response's head, or with the first message if the crowd `greets`.
    `count`: messages received."""

    def __init__(self, crowd: "Crowd", request: bytes) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.count = 0
        self.lost: str | None = None
        self._crowd = crowd
        self._request = request
        self._head_read = False
        self._rest: bytes = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(repr(exc) if exc else "closed by the server")

    def data_received(self, data: bytes) -> None:
        data = bytes(self._rest + data) if self._rest else data
        if not self._head_read:
            if _HEAD_END not in data:
                self._rest = data
                return
            head, data = data.split(_HEAD_END, 1)
            if head[9:12] not in (b"200", b"101"):
                return self._fail(head[:100].decode(errors="replace"))
            self._head_read = True
            if not self._crowd.greets and not self.opened.done():
                self.opened.set_result(None)
        self._rest = self._read(data)

    @abstractmethod
    def _read(self, data: bytes) -> bytes:
        """Counts messages in `data`; returns the incomplete rest, which is prepended to the next data."""

    def _fail(self, why: str) -> None:
        self.lost = self.lost or why
        if not self.opened.done():
            self.opened.set_exception(ConnectionError(why))
            self.opened.exception()
        self._crowd.lost(self)


class EventCounter(Reader):
    """Counts the events of a stream that have the crowd's marker."""

    def _read(self, data: bytes) -> bytes:
        found = data.count(self._crowd.marker)
        if found:
            self.count += found
            self._crowd.counted(found)
        keep = len(self._crowd.marker) - 1
        tail = data[-keep:]
        return b"" if self._crowd.marker in tail else tail  # the end may be an incomplete marker


class FrameCounter(Reader):
    """Counts a WebSocket's text messages, except a greeting."""

    def _read(self, data: bytes) -> bytes:
        position, found = 0, 0
        while len(data) - position >= 2:
            kind, size, start = data[position] & 0x0F, data[position + 1], position + 2
            if size == 126:
                if len(data) < start + 2:
                    break
                (size,) = struct.unpack_from(">H", data, start)
                start += 2
            if len(data) < start + size:
                break
            position = start + size
            if kind == 1:
                found += self._is_counted()
            elif kind == 9:
                self.transport.write(bytes((PONG, MASK | size)) + NO_KEY + data[start : start + size])
            elif kind == 8:
                self._fail(f"closed with {data[start : start + 2].hex()}")
        if found:
            self.count += found
            self._crowd.counted(found)
        return data[position:]

    def _is_counted(self) -> bool:
        if self.opened.done():
            return True
        self.opened.set_result(None)
        return False


class Crowd:
    """Readers of one server. `marker`: the bytes that are counted in event streams. `greets`: a reader is open once the
    server has sent a message."""

    def __init__(self, url: str, kind: type[Reader], *, marker: bytes = b"", greets: bool = False) -> None:
        self.marker = marker
        self.greets = greets
        self.total = 0
        self.refused = 0
        self.readers: list[Reader] = []
        self._address = host_and_port(url)
        self._kind = kind
        self._wanted = 0
        self._reached: asyncio.Future[None] | None = None

    async def open(self, requests: Sequence[bytes]) -> None:
        """Connects a reader for each request, with bounded concurrency; one that is refused retries, and is counted in
        `refused`. Raises `ConnectionError` if a reader is still refused after all retries."""
        turn = asyncio.Semaphore(CONNECTS_AT_ONCE)

        async def connect(request: bytes) -> None:
            async with turn:
                for last in (number == TRIES - 1 for number in range(TRIES)):
                    try:
                        return await self._connect(request)
                    except ConnectionError:
                        self.refused += 1
                        if last:
                            raise
                    await asyncio.sleep(RETRY_SECONDS)

        await asyncio.gather(*(connect(request) for request in requests))

    async def _connect(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        _, reader = await loop.create_connection(lambda: self._kind(self, request), *self._address)
        await reader.opened
        self.readers.append(reader)

    async def until(self, total: int) -> None:
        """Returns once `total` messages were counted. Raises `ConnectionError` if a reader loses its connection."""
        if self.total < total:
            self._wanted, self._reached = total, asyncio.get_running_loop().create_future()
            await self._reached
        if gone := next((reader.lost for reader in self.readers if reader.lost), None):
            raise ConnectionError(f"a reader was lost: {gone}")

    def counted(self, more: int) -> None:
        self.total += more
        if self._reached is not None and self.total >= self._wanted and not self._reached.done():
            self._reached.set_result(None)

    def lost(self, reader: Reader) -> None:
        if reader in self.readers and self._reached is not None and not self._reached.done():
            self._reached.set_exception(ConnectionError(f"a reader was lost: {reader.lost}"))

    @property
    def lost_readers(self) -> int:
        return sum(reader.lost is not None for reader in self.readers)

    def close(self) -> None:
        """Closes all connections by a reset, which leaves no port in TIME_WAIT."""
        readers, self.readers = self.readers, []
        for reader in readers:
            connection = reader.transport.get_extra_info("socket")
            if connection is not None and not reader.transport.is_closing():
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            reader.transport.abort()


def upgrade(url: str, path: str, cookie: str = "") -> bytes:
    """The request that opens a WebSocket."""
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {b64encode(bytes(16)).decode()}",
        f"Cookie: {cookie}",
    ]
    return "\r\n".join(lines).encode() + _HEAD_END


async def publish_in_turns(
    crowd: Crowd, publish: Callable[[int], None], messages: int, outstanding: int, received: int
) -> None:
    """Publishes `messages`, of which at most `outstanding` are in flight. `received`: the number of readers that
    receive each message."""
    before = crowd.total
    for number in range(messages):
        await crowd.until(before + max(0, number - outstanding + 1) * received)
        publish(number)
    await crowd.until(before + messages * received)
