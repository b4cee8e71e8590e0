"""A publisher on NATS with minimal overhead: it writes the protocol's lines to one connection."""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True)
class Address:
    """The address of a NATS server on this machine."""

    port: int
    user: str = ""
    password: str = ""

    @property
    def url(self) -> str:
        credentials = f"{self.user}:{self.password}@" if self.user else ""
        return f"nats://{credentials}127.0.0.1:{self.port}"


def message(subject: str, data: bytes, headers: Mapping[str, str] | None = None, reply: str = "") -> bytes:
    """A publish command in the wire format."""
    to = f"{subject} {reply}".rstrip()
    if not headers:
        return b"PUB %b %d\r\n%b\r\n" % (to.encode(), len(data), data)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"NATS/1.0\r\n{lines}\r\n".encode()
    return b"HPUB %b %d %d\r\n%b%b\r\n" % (to.encode(), len(head), len(head) + len(data), head, data)


class Publisher(asyncio.Protocol):
    """`acks` counts the messages received on `inbox`, which are JetStream's acknowledgements. `refused`: those of them
    that are errors."""

    def __init__(self, address: Address) -> None:
        self.inbox = f"_INBOX.bench{os.urandom(6).hex()}"
        self.acks = 0
        self.refused = 0
        self._address = address
        self._rest: bytes = b""
        self._pongs: list[asyncio.Future[None]] = []
        self._lost: str | None = None
        self._on_ack: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True, "name": "bench"}
        options |= {"user": self._address.user, "pass": self._address.password} if self._address.user else {}
        self._transport.write(f"CONNECT {json.dumps(options)}\r\nSUB {self.inbox}.> 1\r\n".encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = self._lost or repr(exc)
        for waiting in (*self._pongs, self._on_ack):
            if waiting is not None and not waiting.done():
                waiting.set_exception(ConnectionError(f"NATS is gone: {self._lost}"))

    def publish(self, messages: bytes) -> None:
        """Sends one or more messages made by `message`."""
        if self._lost:
            raise ConnectionError(f"NATS is gone: {self._lost}")
        self._transport.write(messages)

    async def flush(self) -> None:
        """Returns once the server has processed everything that was published."""
        pong = asyncio.get_running_loop().create_future()
        self._pongs.append(pong)
        self.publish(b"PING\r\n")
        await pong

    async def until_acked(self, count: int) -> None:
        """Returns once `count` replies were received in total. Raises `RuntimeError` if one of them is an error."""
        while self.acks < count:
            self._on_ack = asyncio.get_running_loop().create_future()
            await self._on_ack
        if self.refused:
            raise RuntimeError(f"NATS did not store {self.refused} of {self.acks} messages")

    def close(self) -> None:
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        data = bytes(self._rest + data)
        position = 0
        while (end := data.find(b"\r\n", position)) >= 0:
            line = data[position:end]
            following = end + 2
            if line.startswith((b"MSG ", b"HMSG ")):
                following += int(line.rsplit(b" ", 1)[1]) + 2
                if len(data) < following:
                    break
                self.acks += 1
                self.refused += b'"error"' in data[end:following] or b"NATS/1.0 503" in data[end:following]
            elif line == b"PING":
                self._transport.write(b"PONG\r\n")
            elif line == b"PONG" and self._pongs:
                pong = self._pongs.pop(0)
                if not pong.done():
                    pong.set_result(None)
            elif line.startswith(b"-ERR"):
                self._lost = line.decode()
                self._transport.close()
            position = following
        self._rest = data[position:]
        if self._on_ack is not None and not self._on_ack.done():
            self._on_ack.set_result(None)


@asynccontextmanager
async def publisher(address: Address) -> AsyncGenerator[Publisher]:
    _, connected = await asyncio.get_running_loop().create_connection(
        lambda: Publisher(address), "127.0.0.1", address.port
    )
    try:
        await connected.flush()
        yield connected
    finally:
        connected.close()
