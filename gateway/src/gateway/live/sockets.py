"""The open WebSockets: counted, and limited for each user over all gateways, and in all for this process."""

import asyncio
from collections import Counter

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
        self._total = 0
        self._entering: set[str] = set()
        self._batch: asyncio.Future[dict[str, int]] | None = None
        self._next_batch: asyncio.Future[dict[str, int]] | None = None
        self._changed: set[str] = set()  # users of whom the database may have another number
        self._wake = asyncio.Event()

    async def enter(self, user_id: str) -> bool:
        """Counts one more; False where a limit is reached. Call `leave` once for each True. Raises
        `ServiceUnavailable`.

        What comes while a statement is under way shares the next one: a crowd takes a few statements, not one each.
        """
        if self._users[user_id] >= self._most_per_user or self._total >= self._most:
            return False
        self._users[user_id] += 1
        self._total += 1
        self._metrics.open_sockets.inc()
        try:
            elsewhere = await self._elsewhere(user_id)
        except BaseException:
            self.leave(user_id)
            raise
        if self._users[user_id] + elsewhere > self._most_per_user:
            self.leave(user_id)
            return False
        return True

    def leave(self, user_id: str) -> None:
        self._metrics.open_sockets.dec()
        self._users[user_id] -= 1
        self._total -= 1
        self._changed.add(user_id)
        self._wake.set()

    async def _elsewhere(self, user_id: str) -> int:
        """Writes how many this process has of the user; returns how many the others have."""
        self._entering.add(user_id)
        if self._next_batch is None:
            self._next_batch = asyncio.ensure_future(self._write_batch(self._batch))
        return (await asyncio.shield(self._next_batch)).get(user_id, 0)

    async def _write_batch(self, before: asyncio.Future[dict[str, int]] | None) -> dict[str, int]:
        if before is not None:
            await asyncio.wait({before})
        entering, self._entering = self._entering, set()
        self._batch, self._next_batch = self._next_batch, None
        return await self._repository.replace({user_id: self._users[user_id] for user_id in entering})

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
