"""Passwords as argon2id hashes."""

import asyncio

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from contracts.errors import ServiceUnavailable

TIME_COST, MEMORY_KIB, PARALLELISM = 3, 32 * 1024, 1
"""RFC 9106's low-memory profile with half its memory and one lane, so that a small machine can sign several people in
at a time: about 50 ms each. Still above OWASP's minimum (19 MiB, two passes)."""
AT_A_TIME = 2
MAX_WAITING = 128
"""More would wait for longer than a client does."""


class Passwords:
    """Hashing takes a core for a while: in threads, few at a time."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(TIME_COST, MEMORY_KIB, PARALLELISM, type=Type.ID)
        self._slots = asyncio.Semaphore(AT_A_TIME)
        self._waiting = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        return await self._run(password, None)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Takes the same time where there is no such user (`stored` None), so that the answer does not tell."""
        if stored is None:
            self._nobodys = self._nobodys or await self.hash("nobody's")
        return bool(await self._run(password, stored or self._nobodys)) and stored is not None

    def is_outdated(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)

    async def _run(self, password: str, stored: str | None) -> str:
        """A new hash, or with `stored` what is true of the match: the password's hash if it matches, else nothing."""
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
