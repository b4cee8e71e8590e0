"""Forgets what nobody asks for any more, and empties the trash of what has been in it for long.

Every replica looks, one of them does it: whoever has the advisory lock.
"""

import asyncio
from datetime import timedelta

import structlog
from asyncpg.pool import Pool

from contracts.actor import Actor
from notes_service.repository import Changes
from notes_service.repository.connections import transaction
from notes_service.repository.imports import Imports
from notes_service.repository.purging import overdue, users_with_overdue
from notes_service.repository.thinning import forget_unlisted
from notes_service.writes import Writes

log = structlog.stdlib.get_logger()

EVERY_SECONDS = 3600.0
CHANGES_KEPT = timedelta(days=30)
"""A tab that was away for longer fetches everything afresh."""
KEYS_KEPT = timedelta(days=7)
"""A write repeated under its idempotency key later than this is a new write."""
TRASH_KEPT = timedelta(days=30)
PURGED_AT_ONCE = 50
"""Notes in one transaction, so that their user can write in between."""
MINE = "SELECT pg_try_advisory_xact_lock(hashtext('notes housekeeping'))"


async def keep_house(pool: Pool, writes: Writes) -> None:
    """Runs until cancelled."""
    while True:
        try:
            await clean(pool, writes)
        except Exception as error:  # the database is away: the next hour will do
            log.warning("housekeeping failed", error=repr(error))
        await asyncio.sleep(EVERY_SECONDS)


async def clean(pool: Pool, writes: Writes) -> bool:
    """Once over everything; False, at once, where another replica is doing it."""
    async with transaction(pool) as db:
        if not await db.fetchval(MINE):
            return False
        await Changes(pool).forget(CHANGES_KEPT, KEYS_KEPT)
        await forget_unlisted(db)
        await Imports(pool).forget(db)
        for user_id in await users_with_overdue(pool, TRASH_KEPT):
            while await _empty_trash(writes, user_id) == PURGED_AT_ONCE:
                pass
    return True


async def _empty_trash(writes: Writes, user_id: str) -> int:
    """How many notes went. Looked for under the user's lock: one restored meanwhile stays."""
    async with writes.open(Actor(user_id=user_id, kind="user")) as write:
        note_ids = await overdue(write.db, user_id, TRASH_KEPT, PURGED_AT_ONCE)
        if note_ids:
            await write.purge(note_ids, by_whoever_deleted=True)
    return len(note_ids)
