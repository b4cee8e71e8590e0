"""Bytes over a plain connection, for requests that no HTTP client would send."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from standalone.testing import SLOW_SECONDS


class RawConnection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def response(self) -> tuple[int, bytes]:
        """Status and whole head of the next response; its body is read and dropped."""
        async with asyncio.timeout(SLOW_SECONDS):
            head = await self.reader.readuntil(b"\r\n\r\n")
            for line in head.lower().split(b"\r\n"):
                if line.startswith(b"content-length:"):
                    await self.reader.readexactly(int(line.partition(b":")[2]))
        return int(head.split()[1]), head

    async def until_closed(self) -> bytes:
        """What comes until the server closes the connection, in whatever way."""
        received = b""
        async with asyncio.timeout(SLOW_SECONDS):
            with suppress(ConnectionError):
                while data := await self.reader.read(65_536):
                    received += data
        return received


@asynccontextmanager
async def raw_connection(address: str, *, source: str | None = None) -> AsyncGenerator[RawConnection]:
    """`address` is `http://host:port`; `source` the loopback address that the connection comes from."""
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port), local_addr=(source, 0) if source else None)
    try:
        yield RawConnection(reader, writer)
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def head(method: str, path: str, **headers: object) -> bytes:
    """The head of a request; `_` in a name of a header stands for `-`."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in ({"Host": "127.0.0.1"} | headers).items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode()
