"""Waiting out a database that is restarting: what a run has paid for is worth some seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from servicekit.database_timeout import DATABASE_UNAVAILABLE

log = structlog.stdlib.get_logger()

PATIENCE_SECONDS = 30.0
PAUSE_SECONDS = 0.25

T = TypeVar("T")


async def patiently(write: Callable[[], Awaitable[T]]) -> T:
    """Repeats `write`, which must be safe to repeat, while the database is away; gives up after half a minute."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while True:
        try:
            return await write()
        except DATABASE_UNAVAILABLE as error:
            if asyncio.get_running_loop().time() > deadline:
                raise
            log.warning("database away", error=repr(error))
            await asyncio.sleep(PAUSE_SECONDS)
