"""Retention: deletes the sessions and counted attempts that have expired."""

from gateway.accounts.repository import AccountRepository
from servicekit.background import LoopHealth, repeat

EVERY_SECONDS = 600.0


async def retention(accounts: AccountRepository, loops: LoopHealth) -> None:
    """Runs until cancelled. Any number of gateways may do so at once."""
    await repeat("retention", accounts.delete_expired, EVERY_SECONDS, loops)
