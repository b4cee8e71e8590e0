"""The open WebSockets of this process: counted, and limited for each user and in all."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from gateway.metrics import Metrics


class OpenSockets:
    def __init__(self, metrics: Metrics, most: int, most_per_user: int) -> None:
        self._metrics = metrics
        self._most = most
        self._most_per_user = most_per_user
        self._users: Counter[str] = Counter()

    @contextmanager
    def admitted(self, user_id: str) -> Generator[bool]:
        """Counts one more while the block runs; False where a limit is reached."""
        if self._users[user_id] >= self._most_per_user or self._users.total() >= self._most:
            yield False
            return
        self._users[user_id] += 1
        self._metrics.open_sockets.inc()
        try:
            yield True
        finally:
            self._metrics.open_sockets.dec()
            self._users[user_id] -= 1
            if not self._users[user_id]:
                del self._users[user_id]
