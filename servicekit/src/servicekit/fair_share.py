"""A few places for the work of many users, so that nobody's many requests keep the others' few waiting.

**Invariant: while anybody waits who may begin, no place is free, and the next free place goes to whoever has the fewest
under way, of those to the one who began longest ago.** It holds because a place is given in two moments only, when
somebody comes and when somebody leaves, and both give away all there is to give: a user waits only while all places
are taken or the user has `per_user` of them, and either ends with somebody leaving. A user who always has work waiting
begins again only after everybody else who waits with as few under way, so a newcomer waits for one piece of work at
most for each place, not for what the others have queued.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any

from contracts.errors import RateLimited, ServiceUnavailable

BUSY_SECONDS = 5
"""When those may try again who cannot even wait."""


class FairShare:
    """At most `total` pieces of work at a time, and at most `per_user` of one user. In one process. A user is whoever
    shares a bound: an account, or before there is one, an address."""

    def __init__(
        self, total: int, per_user: int, *, waiting_per_user: int | None = None, waiting: int | None = None
    ) -> None:
        """`waiting_per_user`, `waiting`: how many may wait of one user, and in all; None for any number. With
        `waiting`, a user may have another one wait only while there is room for more than the user has waiting: so
        there is room for a newcomer, whatever some others do."""
        self._free = total
        self._per_user = per_user
        self._waiting_per_user = waiting_per_user
        self._most_waiting = waiting
        self._under_way: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        """By user, in the order in which they last began: whoever is first has waited longest since."""

    @asynccontextmanager
    async def place(self, user_id: str) -> AsyncGenerator[None]:
        """Waits for a place, and has it while the block runs. Raises `RateLimited` if too many of this user wait,
        `ServiceUnavailable` if too many do in all."""
        await self.enter(user_id)
        try:
            yield
        finally:
            self.leave(user_id)

    def of_user(self, handler: Callable[[Any], Awaitable[Any]]) -> Callable[[Any], Awaitable[Any]]:
        """The handler of a request with an `actor`, in a place of that user."""

        @wraps(handler)
        async def answer(request: Any) -> Any:
            async with self.place(request.actor.user_id):
                return await handler(request)

        return answer

    async def enter(self, user_id: str) -> None:
        """Waits for a place, which `leave` gives back. Raises as `place` does."""
        if not self._free or self._under_way[user_id] >= self._per_user:
            self._check_waiting(user_id)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user_id, deque()).append(turn)
        self._give_away()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._give_up(user_id, turn)
            else:  # the place came at the same moment
                self.leave(user_id)
            raise

    def _check_waiting(self, user_id: str) -> None:
        of_user = len(self._waiting.get(user_id, ()))
        room = None if self._most_waiting is None else self._most_waiting - sum(map(len, self._waiting.values()))
        if room is not None and room <= 0 and not of_user:
            raise ServiceUnavailable
        is_over = self._waiting_per_user is not None and of_user >= self._waiting_per_user
        if is_over or (room is not None and of_user >= room):
            raise RateLimited("Too many requests at the same time.", retry_after=BUSY_SECONDS)

    def _give_up(self, user_id: str, turn: asyncio.Future[None]) -> None:
        waiting = self._waiting.get(user_id, deque())
        if turn in waiting:
            waiting.remove(turn)
            if not waiting:
                del self._waiting[user_id]

    def leave(self, user_id: str) -> None:
        self._free += 1
        self._under_way[user_id] -= 1
        if not self._under_way[user_id]:
            del self._under_way[user_id]
        self._give_away()

    def _give_away(self) -> None:
        while self._free and (user_id := self._next()) is not None:
            waiting = self._waiting.pop(user_id)
            turn = waiting.popleft()
            if waiting:
                self._waiting[user_id] = waiting  # behind the others
            if not turn.cancelled():
                self._free -= 1
                self._under_way[user_id] += 1
                turn.set_result(None)

    def _next(self) -> str | None:
        may_begin = [user_id for user_id in self._waiting if self._under_way[user_id] < self._per_user]
        return min(may_begin, key=self._under_way.__getitem__, default=None)
