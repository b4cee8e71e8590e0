"""What somebody without an account gets from the outermost server: a gateway, or the proxy before the gateways."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

import pytest

from tests.e2e.person import SLOW_MS

SECONDS = SLOW_MS / 1000
ANNOUNCED = 90_000_000
HOST = b"Host: 127.0.0.1\r\n"


async def answer(url: str, request: bytes) -> bytes:
    """All that comes until the connection is closed, or the head of a response."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    received = b""
    try:
        writer.write(request)
        async with asyncio.timeout(SECONDS):
            with suppress(ConnectionError):
                while b"\r\n\r\n" not in received and (data := await reader.read(65_536)):
                    received += data
    finally:
        await end(writer)
    return received


async def end(writer: asyncio.StreamWriter) -> None:
    """Without sending what the other side no longer takes."""
    writer.transport.abort()
    await asyncio.sleep(0)  # the turn of the loop that closes the socket


async def test_what_does_not_become_a_request_is_closed(url: str) -> None:
    """After half a minute; the three wait at the same time."""
    half_head = b"GET /healthz HTTP/1.1\r\n" + HOST
    answers = await asyncio.gather(answer(url, b""), answer(url, b"GET /"), answer(url, half_head))
    assert all(b" 200 " not in one for one in answers)


@pytest.mark.parametrize("size", [80_000, 2_000_000])
async def test_an_endless_head_is_refused(url: str, size: int) -> None:
    request = b"GET /healthz HTTP/1.1\r\n" + HOST + b"X: " + b"x" * size
    assert (await answer(url, request)).split()[1:2] in ([b"431"], [])  # or it is cut off while it still sends


async def test_a_strangers_upload_is_refused_by_its_first_bytes(url: str) -> None:
    """A proxy may pass the answer on only while the client sends, so this one goes on until it is answered."""
    head = b"POST /api/notes/import HTTP/1.1\r\n" + HOST + b"Content-Type: multipart/form-data; boundary=x\r\n"
    parts, sent = urlsplit(url), 0
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)

    async def send() -> None:
        nonlocal sent
        writer.write(head + b"Content-Length: %d\r\n\r\n--x\r\n" % ANNOUNCED)
        with suppress(ConnectionError):
            while sent < ANNOUNCED:
                writer.write(b"x" * 65_536)
                sent += 65_536
                await writer.drain()

    sending = asyncio.create_task(send())
    try:
        async with asyncio.timeout(SECONDS):
            status_line = await reader.readline()
    finally:
        sending.cancel()
        await end(writer)
    assert status_line.split()[1] == b"401"
    assert sent < ANNOUNCED / 2


async def test_another_name_is_not_answered(url: str) -> None:
    response = await answer(url, b"GET /api/auth/me HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n")
    assert response.split()[1] == b"403"
