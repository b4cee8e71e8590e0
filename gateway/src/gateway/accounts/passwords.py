"""Passwords as argon2id hashes."""

import asyncio
import os

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from servicekit.fair_share import FairShare

TIME_COST, MEMORY_KIB, PARALLELISM = 3, 32 * 1024, 1
"""RFC 9106's low-memory profile with half its memory and one lane, so that a small machine can sign in several people
at a time. Above OWASP's minimum (19 MiB, two passes)."""
AT_A_TIME = max(1, (os.cpu_count() or 1) // 2)
"""Each takes a core: the other half is for everything else."""
WAITING_PER_CALLER, WAITING = 32, 256
"""Limits of the queue: with a longer one, a caller would wait longer than its client does."""


class Passwords:
    """Hashes in threads and few at a time, because each hash takes a core for about 50 ms. `caller` is whose turn it
    takes: those who ask for many wait for each other, and nobody else waits for them."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(TIME_COST, MEMORY_KIB, PARALLELISM, type=Type.ID)
        self._share = FairShare(AT_A_TIME, AT_A_TIME, waiting_per_user=WAITING_PER_CALLER, waiting=WAITING)
        self._dummy_hash: str | None = None

    async def hash(self, password: str, caller: str) -> str:
        return await self._run(password, None, caller)

    async def matches(self, password: str, stored: str | None, caller: str) -> bool:
        """`stored` is None if there is no such user: a dummy hash is compared, so that timing does not reveal it."""
        if stored is None:
            self._dummy_hash = self._dummy_hash or await self.hash("dummy", caller)
        return bool(await self._run(password, stored or self._dummy_hash, caller)) and stored is not None

    def is_outdated(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)

    async def _run(self, password: str, stored: str | None, caller: str) -> str:
        """Without `stored`, returns a new hash; with it, `stored` if the password matches, else an empty string."""
        async with self._share.place(caller):
            return await asyncio.to_thread(self._work, password, stored)

    def _work(self, password: str, stored: str | None) -> str:
        if stored is None:
            return self._hasher.hash(password)
        try:
            self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return ""
        return stored
