"""An HTTP client for load: one connection, one request at a time; it parses only the status and the length."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import cast

from bench.harness.sse import host_and_port

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


class HttpClient(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer: bytes = b""
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("closed before the end of an answer"))

    async def request(self, request: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head) if found else None
        if length is None or len(body) < int(length[1]):
            return
        self._buffer = b""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((int(head[9:12]), body))

    def close(self) -> None:
        self._transport.close()


@asynccontextmanager
async def http_client(url: str) -> AsyncGenerator[HttpClient]:
    _, client = await asyncio.get_running_loop().create_connection(HttpClient, *host_and_port(url))
    try:
        yield client
    finally:
        client.close()


async def repeat(client: HttpClient, request: Callable[[], bytes], seconds: float) -> list[float]:
    """Sends one request after the other for `seconds`; returns the milliseconds of each. Raises `RuntimeError` for an
    error response."""
    took: list[float] = []
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        status, body = await client.request(request())
        took.append((time.perf_counter() - began) * 1000)
        if status >= 400:
            raise RuntimeError(f"answered {status} {body[:200]!r}")
    return took
