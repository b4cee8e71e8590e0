"""Retrying a database operation while the database restarts: a finished model response or tool result must not be lost
to an outage of some seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from servicekit.background import is_outage
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

GIVE_UP_SECONDS = 30.0
PAUSE_SECONDS = 0.25

T = TypeVar("T")


async def with_retry(operation: Callable[[], Awaitable[T]]) -> T:
    """Repeats `operation`, which must be idempotent, while the database is unavailable. Raises its error after 30 s,
    and every other error at once."""
    deadline = asyncio.get_running_loop().time() + GIVE_UP_SECONDS
    while True:
        try:
            return await operation()
        except Exception as error:
            if not is_outage(error) or asyncio.get_running_loop().time() > deadline:
                raise
            log.warning("database unavailable", error=describe(error))
            await asyncio.sleep(PAUSE_SECONDS)
