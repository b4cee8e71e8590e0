"""The `accounts` schema's connection pool, with the driver's errors translated at this one edge."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import structlog
from asyncpg.pool import Pool
from contracts.errors import ServiceUnavailable

log = structlog.stdlib.get_logger()

QUERY_SECONDS = 4.0
"""For a connection and the statement together, so that a caller is answered within five."""

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
)


class Database:
    """Raises `ServiceUnavailable` while PostgreSQL is away; its other errors pass."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def row(self, sql: str, *values: Any) -> Any:
        async with _translated():
            return await self._pool.fetchrow(sql, *values)

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        async with _translated():
            return await self._pool.fetch(sql, *values)

    async def execute(self, sql: str, *values: Any) -> None:
        async with _translated():
            await self._pool.execute(sql, *values)


@asynccontextmanager
async def _translated() -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(QUERY_SECONDS):
            yield
    except _AWAY as error:
        log.warning("database unavailable", error=repr(error))
        raise ServiceUnavailable from error
