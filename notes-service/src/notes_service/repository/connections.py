"""Borrowing a connection without waiting longer for one than a caller waits for an answer."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from asyncpg.pool import Pool

ACQUIRE_SECONDS = 2.0
"""Also how long a connection may take to settle after a statement was given up; then it is closed."""


@asynccontextmanager
async def connection(pool: Pool) -> AsyncGenerator[Any]:
    async with pool.acquire(timeout=ACQUIRE_SECONDS) as borrowed:
        yield borrowed


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncGenerator[Any]:
    async with connection(pool) as borrowed, borrowed.transaction():
        yield borrowed
