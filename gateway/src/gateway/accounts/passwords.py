"""Passwords as argon2id hashes."""

import asyncio

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from contracts.errors import ServiceUnavailable

TIME_COST, MEMORY_KIB, PARALLELISM = 3, 32 * 1024, 1
"""RFC 9106's low-memory profile with half its memory and one lane, so that a small machine can sign in several people
at a time. Above OWASP's minimum (19 MiB, two passes)."""
AT_A_TIME = 2
MAX_WAITING = 128
"""Limit of the queue: with a longer one, a caller would wait longer than its client does."""


class Passwords:
    """Hashes in threads and few at a time, because each hash takes a core for about 50 ms."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(TIME_COST, MEMORY_KIB, PARALLELISM, type=Type.ID)
        self._slots = asyncio.Semaphore(AT_A_TIME)
        self._waiting = 0
        self._dummy_hash: str | None = None

    async def hash(self, password: str) -> str:
        return await self._run(password, None)

    async def matches(self, password: str, stored: str | None) -> bool:
        """`stored` is None if there is no such user: a dummy hash is compared, so that timing does not reveal it."""
        if stored is None:
            self._dummy_hash = self._dummy_hash or await self.hash("dummy")
        return bool(await self._run(password, stored or self._dummy_hash)) and stored is not None

    def is_outdated(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)

    async def _run(self, password: str, stored: str | None) -> str:
        """Without `stored`, returns a new hash; with it, `stored` if the password matches, else an empty string."""
        if self._waiting >= MAX_WAITING:
            raise ServiceUnavailable
        self._waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(self._work, password, stored)
        finally:
            self._waiting -= 1

    def _work(self, password: str, stored: str | None) -> str:
        if stored is None:
            return self._hasher.hash(password)
        try:
            self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return ""
        return stored
