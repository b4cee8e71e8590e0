"""Deletes the objects of the store that belong to no file any more.

Every replica does so. Which objects are unused is recorded with the transaction that made them so, and each of those is
one replica's at a time. What a crash left between the store and the database is found at the start and once a day,
among all objects that are older than any upload may be.
"""

import asyncio
import re
import time
from collections.abc import Coroutine
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from contracts.files import UPLOAD_EXPIRES_HOURS, object_key
from contracts.ids import UUID_PATTERN
from notes_service.repository.files import FileRepository, Key
from servicekit.background import LoopHealth, repeat
from servicekit.object_store import ObjectStore

log = structlog.stdlib.get_logger()

EVERY_SECONDS = 60.0
SEARCH_EVERY_SECONDS = 24 * 3600.0
BATCH = 50
LEFT_AFTER = timedelta(hours=2 * UPLOAD_EXPIRES_HOURS)
"""A row refers to an object before its upload expires. Twice that, because clocks differ."""
KEY = re.compile(f"{UUID_PATTERN[1:-1]}/{UUID_PATTERN[1:-1]}")


def collection(repository: FileRepository, store: ObjectStore, health: LoopHealth) -> Coroutine[Any, Any, None]:
    """The loop, which runs until it is cancelled."""
    return repeat("file collection", Collector(repository, store).collect, EVERY_SECONDS, health)


class Collector:
    def __init__(self, repository: FileRepository, store: ObjectStore) -> None:
        self.repository = repository
        self.store = store
        self._searched_at: float | None = None

    async def collect(self) -> None:
        while await self.repository.delete_expired_uploads(BATCH) == BATCH:
            pass
        while await self.delete_unused() == BATCH:
            pass
        if self._searched_at is None or time.monotonic() - self._searched_at > SEARCH_EVERY_SECONDS:
            await self.delete_left()
            self._searched_at = time.monotonic()

    async def delete_unused(self) -> int:
        """Returns how many, at most `BATCH`."""
        async with self.repository.unused(BATCH) as keys:
            await asyncio.gather(*(self.store.delete(object_key(*key)) for key in keys))
        return len(keys)

    async def delete_left(self, older_than: timedelta = LEFT_AFTER) -> None:
        """Objects without a row. An object that another replica deletes at the same time is deleted twice, which does
        nothing."""
        async for names in self.store.keys(older_than=older_than):
            keys: list[Key] = [(user_id, object_id) for user_id, _, object_id in _parts(names)]
            left = await self.repository.unknown(keys)
            await asyncio.gather(*(self.store.delete(object_key(*key)) for key in left))
            if left:
                log.warning("deleted objects that belonged to no file", objects=len(left))
        await asyncio.to_thread(partial(self.store.delete_partial, older_than=older_than))


def _parts(names: list[str]) -> list[tuple[str, str, str]]:
    """Of objects with names of ours: nothing else in a shared bucket is touched."""
    return [name.rpartition("/") for name in names if KEY.fullmatch(name)]
