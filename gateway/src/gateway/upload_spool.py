"""How much of uploads may be on this process's disk at a time: one upload for each user, and a sum for all."""

from collections.abc import Generator
from contextlib import contextmanager

from contracts.errors import RateLimited, ServiceUnavailable

RETRY_SECONDS = 5


class UploadSpool:
    """An upload counts with the length that it declares, or with the most that one may have."""

    def __init__(self, capacity: int, most: int) -> None:
        self._capacity = max(capacity, most)
        self._most = most
        self._users: set[str] = set()
        self._bytes = 0

    @contextmanager
    def admitted(self, user_id: str, declared: int | None) -> Generator[None]:
        """Raises `RateLimited` while this user has another upload, `ServiceUnavailable` while there is no room."""
        if user_id in self._users:
            raise RateLimited("Another import of yours is being uploaded.", retry_after=RETRY_SECONDS)
        size = self._most if declared is None else declared
        if self._bytes + size > self._capacity:
            raise ServiceUnavailable("Too much is being uploaded at the moment.", retry_after=RETRY_SECONDS)
        self._users.add(user_id)
        self._bytes += size
        try:
            yield
        finally:
            self._users.discard(user_id)
            self._bytes -= size
