"""The `accounts` schema's connection pool, with the driver's errors translated at this one edge."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from asyncpg.pool import Pool

from contracts.errors import ServiceUnavailable
from servicekit.database_timeout import DATABASE_UNAVAILABLE
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

QUERY_SECONDS = 4.0
"""For a connection and the statement together, so that a caller is answered within five."""


class Database:
    """Raises `ServiceUnavailable` while PostgreSQL cannot be reached; its other errors are passed on."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._abandoned: set[asyncio.Task[Any]] = set()

    async def row(self, sql: str, *values: Any) -> Any:
        return await self._bounded(self._pool.fetchrow(sql, *values))

    async def rows(self, sql: str, *values: Any) -> list[Any]:
        return await self._bounded(self._pool.fetch(sql, *values))

    async def execute(self, sql: str, *values: Any) -> None:
        await self._bounded(self._pool.execute(sql, *values))

    async def _bounded(self, query: Coroutine[Any, Any, Any]) -> Any:
        """Raises `ServiceUnavailable` after `QUERY_SECONDS`. The cancelled query is not awaited: it waits for the
        server's confirmation, which a server that hangs never sends."""
        task = asyncio.ensure_future(query)
        try:
            await asyncio.wait({task}, timeout=QUERY_SECONDS)
            if task.done():
                return task.result()
            log.warning("database does not answer")
            raise ServiceUnavailable
        except DATABASE_UNAVAILABLE as error:
            log.warning("database unavailable", error=describe(error))
            raise ServiceUnavailable from error
        finally:
            if not task.done():
                task.cancel()
                self._abandoned.add(task)
                task.add_done_callback(self._abandoned.discard)
