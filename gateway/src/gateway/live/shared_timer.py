"""One timer for all streams or readers of this process, instead of one for each: 5,000 that are silent cost next to
nothing."""

import asyncio
from collections.abc import Callable


class SharedTimer:
    """Calls all members every `seconds`, with the loop's time. They must not raise."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._members: set[Callable[[float], None]] = set()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, member: Callable[[float], None]) -> None:
        self._members.add(member)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._run)

    def discard(self, member: Callable[[float], None]) -> None:
        self._members.discard(member)

    def _run(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for member in list(self._members):
            member(now)
        self._timer = loop.call_later(self._seconds, self._run) if self._members else None
