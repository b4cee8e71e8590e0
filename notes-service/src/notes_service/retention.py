"""Deletes what is past its retention period: old changes and keys, unlisted versions, imports, notes in the trash.

Every replica tries, once an hour; the one that gets the advisory lock does it.
"""

from collections.abc import Coroutine
from datetime import timedelta
from functools import partial
from typing import Any

from asyncpg.pool import Pool

from contracts.actor import Actor
from contracts.notes import TRASH_RETENTION_DAYS, NoteRequest
from notes_service.repository import ChangeRepository
from notes_service.repository.connections import transaction
from notes_service.repository.history_pruning import delete_old_unlisted
from notes_service.repository.imports import ImportRepository
from notes_service.repository.trash import PURGE_BATCH, expired, users_with_expired
from notes_service.unit_of_work import UnitOfWork
from servicekit.background import LoopHealth, repeat

EVERY_SECONDS = 3600.0
CHANGES = timedelta(days=30)
"""A tab that was disconnected for longer loads everything again."""
IDEMPOTENCY_KEYS = timedelta(days=7)
"""A write repeated under its key later than this is a new write."""
TRASH = timedelta(days=TRASH_RETENTION_DAYS)
TRY_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext('notes housekeeping'))"


def retention(pool: Pool, unit_of_work: UnitOfWork, health: LoopHealth) -> Coroutine[Any, Any, None]:
    """The loop, which runs until it is cancelled."""
    return repeat("retention", partial(delete_expired, pool, unit_of_work), EVERY_SECONDS, health)


async def delete_expired(pool: Pool, unit_of_work: UnitOfWork) -> bool:
    """Deletes everything that has expired. False, at once, if another replica is doing it."""
    async with transaction(pool) as db:
        if not await db.fetchval(TRY_LOCK):
            return False
        await ChangeRepository(pool).delete_old(CHANGES, IDEMPOTENCY_KEYS)
        await delete_old_unlisted(pool)
        await ImportRepository(pool).delete_old(db)
        for user_id in await users_with_expired(pool, TRASH):
            while await _purge_expired(unit_of_work, user_id) == PURGE_BATCH:
                pass
    return True


async def _purge_expired(unit_of_work: UnitOfWork, user_id: str) -> int:
    """Returns how many notes were purged. They are selected under the user's lock, so that a note restored meanwhile
    stays."""
    async with unit_of_work(NoteRequest(actor=Actor(user_id=user_id, kind="user"))) as tx:
        note_ids = await expired(tx.db, user_id, TRASH, PURGE_BATCH)
        if note_ids:
            await tx.purge(note_ids, in_name_of_deleter=True)
    return len(note_ids)
