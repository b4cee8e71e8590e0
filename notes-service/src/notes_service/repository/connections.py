"""Connections of the pool, acquired with a timeout that is shorter than the caller's."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from asyncpg.pool import Pool

ACQUIRE_SECONDS = 2.0
"""Also how long a connection may take to recover after a statement was cancelled; then it is closed."""


@asynccontextmanager
async def connection(pool: Pool) -> AsyncGenerator[Any]:
    """Raises `TimeoutError` if none is free in time."""
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as acquired:
        yield acquired


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncGenerator[Any]:
    """Commits at the end of the block, rolls back if it raises."""
    async with connection(pool) as acquired, acquired.transaction():
        yield acquired
