"""Growing delays between attempts to sign in or to register. The attempts are counted in the database, so that the
delays hold for all gateways together.

An attempt is first counted by its address and only then by the name that it is for: whoever has to wait because of the
address cannot make others wait for a name.
"""

import asyncio
import math
from datetime import timedelta
from typing import NamedTuple

from contracts.errors import RateLimited
from gateway.accounts.repository import AccountRepository
from gateway.addresses import source
from gateway.settings import Settings

FIRST = timedelta(seconds=1)
LONGEST, LONGEST_SHARED = timedelta(minutes=5), timedelta(seconds=30)
FREE_PER_NAME = 1_000
"""Attempts for one name from all addresses together. One address does not get this far."""
FORGOTTEN_AFTER = timedelta(minutes=15)
"""Longer than any delay."""
REMEMBERED_BLOCKS = 10_000
MINUTE = 60


class Delay(NamedTuple):
    """After `free` attempts the next one has to wait for `FIRST`, and every further one twice as long. `shared`: it
    also concerns others, who are behind the same address or have the name; then the wait is short, and attempts are
    forgotten some time after the first one instead of the last one."""

    key: str
    free: int
    shared: bool


class RateLimits:
    def __init__(self, accounts: AccountRepository, settings: Settings) -> None:
        self._accounts = accounts
        self._settings = settings
        self._blocked: dict[str, float] = {}  # until when, so that a flood costs no statements

    def of_sign_in(self, username: str, address: str) -> list[Delay]:
        name, address = username.lower(), source(address)
        return [
            Delay(f"sign-in address {address}", self._settings.sign_ins_per_address, shared=True),
            Delay(f"sign-in {address} {name}", self._settings.sign_ins_per_name, shared=False),
            Delay(f"sign-in name {name}", FREE_PER_NAME, shared=True),
        ]

    def of_known_device(self, device_id: str) -> list[Delay]:
        return [Delay(f"sign-in device {device_id}", self._settings.sign_ins_per_name, shared=False)]

    def of_password_change(self, session_id: str) -> list[Delay]:
        return [Delay(f"password {session_id}", self._settings.sign_ins_per_name, shared=False)]

    def of_registration(self, address: str) -> list[Delay]:
        key = f"registration address {source(address)}"
        return [Delay(key, self._settings.registrations_per_address, shared=True)]

    async def count(self, delays: list[Delay]) -> None:
        """Counts an attempt before it is made, so that concurrent attempts are all counted. Raises `RateLimited`: the
        attempt is then not counted by this delay and those after it."""
        for delay in delays:
            wait = self._blocked.get(delay.key, 0) - asyncio.get_running_loop().time()
            if wait <= 0:
                longest = LONGEST_SHARED if delay.shared else LONGEST
                wait = await self._accounts.count_attempt(
                    delay.key, delay.free, FIRST, longest, FORGOTTEN_AFTER, since_last=not delay.shared
                )
            if wait > 0:
                self._remember(delay.key, wait)
                seconds = math.ceil(wait)
                raise RateLimited(f"Too many attempts. Try again in {_in_words(seconds)}.", retry_after=seconds)

    async def forgive(self, delays: list[Delay]) -> None:
        """Removes a successful attempt from the counts, and the failures before it where they are nobody else's."""
        for delay in delays:
            await self._accounts.forget_attempts(delay.key, all_of_them=not delay.shared)

    def _remember(self, key: str, wait: float) -> None:
        self._blocked[key] = asyncio.get_running_loop().time() + wait
        if len(self._blocked) > REMEMBERED_BLOCKS:
            self._blocked.clear()


def _in_words(seconds: int) -> str:
    if seconds < MINUTE:
        return f"{seconds} second{'s' * (seconds != 1)}"
    minutes = math.ceil(seconds / MINUTE)
    return f"{minutes} minute{'s' * (minutes != 1)}"
