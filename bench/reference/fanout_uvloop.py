"""`python -m bench.reference.fanout_uvloop`: fan-out by a bare protocol on uvloop, a write for each reader and message.

A client that sends `GET` becomes a reader. The payload of `PUB <bytes>\\n` is sent to all readers unchanged: the
publisher frames it for event streams or for WebSockets.
"""

import asyncio
import sys
from typing import cast

import uvloop

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
readers: set[asyncio.Transport] = set()


class Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._buffer: bytes = b""
        self._publishes = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        readers.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._publishes and self._buffer.startswith(b"GET"):
            if b"\r\n\r\n" in self._buffer:
                self._buffer = b""
                self._transport.write(HEAD)
                readers.add(self._transport)
            return
        self._publishes = True
        while b"\n" in self._buffer:
            line, _, rest = self._buffer.partition(b"\n")
            size = int(line[4:])
            if len(rest) < size:
                return
            message, self._buffer = rest[:size], rest[size:]
            for reader in readers:
                reader.write(message)


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Connection, "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
