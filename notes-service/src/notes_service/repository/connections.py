"""A connection of the pool, without waiting longer for one than a caller waits for an answer."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from asyncpg.pool import Pool

ACQUIRE_SECONDS = 2.0
"""Also how long a connection may take to recover after a statement was cancelled; then it is closed."""


@asynccontextmanager
async def connection(pool: Pool) -> AsyncGenerator[Any]:
    """Raises `TimeoutError` where none is free in time."""
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as acquired:
        yield acquired


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncGenerator[Any]:
    """Commits where the block is left, rolls back where it raises."""
    async with connection(pool) as acquired, acquired.transaction():
        yield acquired
