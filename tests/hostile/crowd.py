"""A crowd of connections that want nothing: silent, resting, half-open, and slow, from many addresses. Each one that
the gateway closes is opened again."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from standalone.testing import SLOW_SECONDS

PER_ADDRESS = 200
OPENING_AT_ONCE = 50
DRIP_SECONDS = 2.0
HEAD = b"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n"
BEGINNINGS: dict[str, Sequence[bytes]] = {
    "silent": [b""],
    "resting": [b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"],
    "half a head": [HEAD],
    "half a body": [HEAD + b"\r\n" + b'{"username":'],
    "slow head": [HEAD, b"X: y\r\n"],
    "slow body": [HEAD + b"\r\n", b" "],
}
"""What is sent: the first at once, the last again every `DRIP_SECONDS` where it is another one."""


class Crowd:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "127.0.0.1", parts.port or 80
        self._opening = asyncio.Semaphore(OPENING_AT_ONCE)
        self.held: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.changed = asyncio.Event()

    async def hold(self, kind: str, source: str) -> None:
        """One connection after the other, until cancelled."""
        first, *rest = BEGINNINGS[kind]
        while True:
            async with self._opening:
                reader, writer = await asyncio.open_connection(*self._address, local_addr=(source, 0))
            self.held[kind] += 1
            self.changed.set()
            try:
                with suppress(ConnectionError):
                    writer.write(first)
                    await self._until_closed(reader, writer, rest)
            finally:
                self.held[kind] -= 1
                writer.close()
            self.closed[kind] += 1

    async def _until_closed(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, rest: list[bytes]
    ) -> None:
        while True:
            try:
                async with asyncio.timeout(DRIP_SECONDS if rest else None):
                    while await reader.read(65_536):
                        continue
                    return
            except TimeoutError:
                writer.write(rest[-1])


@asynccontextmanager
async def crowded(url: str, size: int) -> AsyncGenerator[Crowd]:
    """`size` connections are held while the block runs."""
    crowd = Crowd(url)
    kinds = itertools.cycle(BEGINNINGS)
    tasks = [
        asyncio.ensure_future(crowd.hold(next(kinds), f"127.0.1.{1 + number // PER_ADDRESS}")) for number in range(size)
    ]
    try:
        async with asyncio.timeout(SLOW_SECONDS):
            while crowd.held.total() < size:
                await crowd.changed.wait()
                crowd.changed.clear()
        yield crowd
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
