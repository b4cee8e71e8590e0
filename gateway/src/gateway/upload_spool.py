"""How much of uploads may be on this process's disk, or in its memory, at a time: a few uploads of each user, and a sum
for all."""

from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager

from contracts.errors import RateLimited, ServiceUnavailable

RETRY_SECONDS = 5


class UploadSpool:
    """An upload counts with the length that it declares, or with the most that one may have."""

    def __init__(self, capacity: int, most: int, per_user: int = 1) -> None:
        self._capacity = max(capacity, most)
        self._most = most
        self._per_user = per_user
        self._users: Counter[str] = Counter()
        self._bytes = 0

    @contextmanager
    def admitted(self, user_id: str, declared: int | None) -> Generator[None]:
        """Raises `RateLimited` while this user has as many uploads as are allowed, `ServiceUnavailable` while there is
        no room."""
        if self._users[user_id] >= self._per_user:
            raise RateLimited("Another upload of yours is not finished yet.", retry_after=RETRY_SECONDS)
        size = self._most if declared is None else min(declared, self._most)
        if self._bytes + size > self._capacity:
            raise ServiceUnavailable("Too much is being uploaded at the moment.", retry_after=RETRY_SECONDS)
        self._users[user_id] += 1
        self._bytes += size
        try:
            yield
        finally:
            self._users -= Counter([user_id])
            self._bytes -= size
