"""The open WebSockets: counted, and limited for each user over all gateways, and in all for this process."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from contracts.errors import ServiceUnavailable
from gateway.live.socket_repository import SocketRepository
from gateway.metrics import Metrics
from servicekit.background import LoopHealth, repeat

RENEW_SECONDS = 5.0


class OpenSockets:
    """This process counts its own; the others' numbers are in the database, and so are its own for them. A number there
    may be too high for `RENEW_SECONDS` after sockets have closed, never too low."""

    def __init__(self, metrics: Metrics, repository: SocketRepository, most: int, most_per_user: int) -> None:
        self._metrics = metrics
        self._repository = repository
        self._most = most
        self._most_per_user = most_per_user
        self._users: Counter[str] = Counter()
        self._changed: set[str] = set()  # users of whom the database may have another number
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def admitted(self, user_id: str) -> AsyncGenerator[bool]:
        """Counts one more while the block runs; False where a limit is reached. Raises `ServiceUnavailable`."""
        if self._users[user_id] >= self._most_per_user or self._users.total() >= self._most:
            yield False
            return
        self._users[user_id] += 1
        self._metrics.open_sockets.inc()
        try:
            elsewhere = await self._repository.replace(user_id, self._users[user_id])
            yield self._users[user_id] + elsewhere <= self._most_per_user
        finally:
            self._metrics.open_sockets.dec()
            self._users[user_id] -= 1
            self._changed.add(user_id)
            self._wake.set()

    async def start(self) -> None:
        """Before the first socket: until then this gateway's numbers do not count for the others."""
        await self._repository.renew()

    async def renew(self, loops: LoopHealth) -> None:
        """Runs until cancelled: brings the database up to date, and says that this gateway is alive."""
        try:
            await repeat("open sockets", self._write, RENEW_SECONDS, loops, wake=self._wake)
        finally:
            await self._forget()

    async def _write(self) -> None:
        if not await self._repository.renew():
            self._changed.update(self._users)
        changed, self._changed = self._changed, set()
        try:
            if changed:
                await self._repository.write({user_id: self._users[user_id] for user_id in changed})
        except BaseException:
            self._changed |= changed
            raise
        for user_id in changed:
            if not self._users[user_id]:
                del self._users[user_id]

    async def _forget(self) -> None:
        try:
            await self._repository.delete_gateway()
        except ServiceUnavailable:
            return  # its numbers end to count by themselves
