"""Rate limits on sign-in and registration. The attempts are counted in the database, so that the limits hold for all
gateways together."""

import math
from datetime import timedelta
from typing import NamedTuple

from contracts.errors import RateLimited
from gateway.accounts.repository import AccountRepository
from gateway.settings import Settings

SIGN_IN_WINDOW = timedelta(minutes=5)
REGISTRATION_WINDOW = timedelta(minutes=10)


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
        return [
            RateLimit(f"sign-in name {username.lower()}", self._settings.sign_ins_per_name, SIGN_IN_WINDOW),
            RateLimit(f"sign-in address {address}", self._settings.sign_ins_per_address, SIGN_IN_WINDOW),
        ]

    def of_registration(self, username: str, address: str) -> list[RateLimit]:
        name, per_address = f"registration name {username.lower()}", self._settings.registrations_per_address
        return [
            RateLimit(name, self._settings.sign_ins_per_name, REGISTRATION_WINDOW),
            RateLimit(f"registration address {address}", per_address, REGISTRATION_WINDOW),
        ]

    async def count(self, limits: list[RateLimit]) -> None:
        """Counts an attempt before it is made, so that concurrent attempts are all counted. Raises `RateLimited`."""
        for limit in limits:
            attempts = await self._accounts.count_attempt(limit.key, limit.window)
            if attempts.made > limit.most:
                raise RateLimited(retry_after=max(1, math.ceil(attempts.resets_in)))

    async def forgive(self, limits: list[RateLimit]) -> None:
        """Removes a successful attempt from the count."""
        for limit in limits:
            await self._accounts.forget_attempt(limit.key)
