"""How often somebody may try. Counted in the database, so that it holds for all gateways together."""

import math
from datetime import timedelta
from typing import NamedTuple

from contracts.errors import RateLimited
from gateway.accounts.repository import AccountRepository
from gateway.settings import Settings


class RateLimit(NamedTuple):
    """At most `most` attempts in a window that begins with the first."""

    key: str
    most: int
    window: timedelta


class RateLimits:
    def __init__(self, accounts: AccountRepository, settings: Settings) -> None:
        self._accounts = accounts
        self._settings = settings

    def of_sign_in(self, username: str, address: str) -> list[RateLimit]:
        window = timedelta(minutes=5)
        return [
            RateLimit(f"sign-in name {username.lower()}", self._settings.sign_ins_per_name, window),
            RateLimit(f"sign-in address {address}", self._settings.sign_ins_per_address, window),
        ]

    def of_registration(self, username: str, address: str) -> list[RateLimit]:
        window = timedelta(minutes=10)
        return [
            RateLimit(f"registration name {username.lower()}", self._settings.sign_ins_per_name, window),
            RateLimit(f"registration address {address}", self._settings.registrations_per_address, window),
        ]

    async def count(self, limits: list[RateLimit]) -> None:
        """Counts an attempt before it is made, so that many at once do not slip through. Raises `RateLimited`."""
        for limit in limits:
            attempts = await self._accounts.count_attempt(limit.key, limit.window)
            if attempts.made > limit.most:
                raise RateLimited(retry_after=max(1, math.ceil(attempts.resets_in)))

    async def forgive(self, limits: list[RateLimit]) -> None:
        """The attempt succeeded: it was no guess."""
        for limit in limits:
            await self._accounts.forget_attempt(limit.key)
