"""Connections of the pool, acquired with a timeout that is shorter than the caller's."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Any

from asyncpg.pool import Pool

from servicekit.database_timeout import DATABASE_UNAVAILABLE

ACQUIRE_SECONDS = 2.0
"""Also how long a connection may take to recover after a statement was cancelled; then it is closed."""


@asynccontextmanager
async def connection(pool: Pool) -> AsyncGenerator[Any]:
    """Raises `TimeoutError` if none is free in time."""
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as acquired:
        yield acquired


@asynccontextmanager
async def transaction(pool: Pool, *, synchronous: bool = True) -> AsyncGenerator[Any]:
    """Commits at the end of the block, rolls back if it raises. Not `synchronous`: a crash of the database may lose it
    in the moments after."""
    async with connection(pool) as acquired:
        await acquired.execute("BEGIN" if synchronous else "BEGIN; SET LOCAL synchronous_commit = off")
        try:
            yield acquired
        except BaseException:
            with suppress(*DATABASE_UNAVAILABLE):
                await acquired.execute("ROLLBACK")
            raise
        await acquired.execute("COMMIT")
