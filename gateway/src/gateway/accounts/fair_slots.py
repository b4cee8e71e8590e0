"""A few slots for costly work, given to those who wait in turns: one of each key, however many another key has waiting.

Invariant: a free slot and a waiter never exist together. A slot that is released goes to the first waiter of the key
whose turn it is, and that key's next turn comes after all the others'.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from contracts.errors import RateLimited, ServiceUnavailable

BUSY_SECONDS = 5


class FairSlots:
    def __init__(self, slots: int, *, waiting_per_key: int, waiting: int) -> None:
        self._free = slots
        self._waiting_per_key = waiting_per_key
        self._most_waiting = waiting
        self._queues: dict[str, deque[asyncio.Future[None]]] = {}  # in the order of their turns

    @asynccontextmanager
    async def slot(self, key: str) -> AsyncGenerator[None]:
        """Raises `RateLimited` where too many of this key wait, `ServiceUnavailable` where too many do in all."""
        await self._acquire(key)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, key: str) -> None:
        if self._free:
            self._free -= 1
            return
        if len(self._queues.get(key, ())) >= self._waiting_per_key:
            raise RateLimited("Too many attempts at the same time.", retry_after=BUSY_SECONDS)
        if sum(map(len, self._queues.values())) >= self._most_waiting:
            raise ServiceUnavailable
        turn = asyncio.get_running_loop().create_future()
        self._queues.setdefault(key, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()  # it came at the same moment
            else:
                self._leave(key, turn)
            raise

    def _release(self) -> None:
        while self._queues:
            key = next(iter(self._queues))
            queue = self._queues.pop(key)
            turn = queue.popleft()
            if queue:
                self._queues[key] = queue
            if not turn.done():
                return turn.set_result(None)
        self._free += 1

    def _leave(self, key: str, turn: asyncio.Future[None]) -> None:
        queue = self._queues.get(key)
        if queue is not None and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._queues[key]
