"""Forgets what nobody asks for any more. Any number of replicas may do it at once."""

import asyncio
from datetime import timedelta

import structlog

from notes_service.repository import Changes

log = structlog.stdlib.get_logger()

EVERY_SECONDS = 3600.0
CHANGES_KEPT = timedelta(days=30)
"""A tab that was away for longer fetches everything afresh."""
KEYS_KEPT = timedelta(days=7)
"""A write repeated under its idempotency key later than this is a new write."""


async def keep_house(changes: Changes) -> None:
    """Runs until cancelled."""
    while True:
        try:
            await changes.forget(CHANGES_KEPT, KEYS_KEPT)
        except Exception as error:  # the database is away: the next hour will do
            log.warning("housekeeping failed", error=repr(error))
        await asyncio.sleep(EVERY_SECONDS)
