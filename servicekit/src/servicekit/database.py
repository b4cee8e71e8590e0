"""The connection to PostgreSQL, and a schema brought up to date by one replica at a time."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import orjson
import structlog
from asyncpg.pool import Pool

from servicekit.errors import Unreachable

log = structlog.stdlib.get_logger()

COMMAND_TIMEOUT = 10
"""Seconds after which a statement is aborted; the caller gets `TimeoutError`."""
START_SECONDS = 10
"""How long a service waits at its start for the database."""
RETRY_SECONDS = 0.25


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()


async def _prepare(connection: Any) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=_dump, decoder=orjson.loads, schema="pg_catalog")


async def _skip_reset(_: Any) -> None:
    """Skips asyncpg's reset query, which would be one more round trip per use of a connection: services do not change
    the session's state, and asyncpg rolls back open transactions itself."""


@asynccontextmanager
async def pool(dsn: str, schema: str, *, size: int = 10) -> AsyncGenerator[Pool]:
    """A pool whose connections see `schema` and read and write JSON as Python values."""
    async with asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=size,
        init=_prepare,
        reset=_skip_reset,
        server_settings={"search_path": schema},
        command_timeout=COMMAND_TIMEOUT,
    ) as opened:
        yield opened


async def _first_connection(dsn: str) -> Any:
    """Retries for 10 s: the database may still be starting, or its role may not exist yet. Raises `Unreachable`."""
    last: Exception | None = None
    try:
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    return await asyncpg.connect(dsn)
                except (OSError, asyncpg.PostgresError) as error:
                    last = error
                    await asyncio.sleep(RETRY_SECONDS)
    except TimeoutError as error:
        raise Unreachable(f"PostgreSQL does not let us in: {last or 'no answer'}") from error


async def migrate(dsn: str, schema: str, migrations: Path) -> None:
    """Runs the Alembic revisions in `migrations/versions` that `schema` has not seen, under an advisory lock.

    Revisions are named `0001`, `0002` … as their files begin. Alembic is loaded only where there is something to do.
    Comes first at a start, and so waits for the database: raises `Unreachable` when it is not there within 10 s.
    """
    head = max(path.name[:4] for path in (migrations / "versions").glob("[0-9]*.py"))
    connection = await _first_connection(dsn)
    try:
        if await _version(connection, schema) == head:
            return
        await connection.execute("SELECT pg_advisory_lock(hashtext($1))", f"migrate {schema}")
        if await _version(connection, schema) != head:
            log.info("migrating", schema=schema, to=head)
            # imported here: Alembic costs 25 MiB and half a second, and is not needed if there is nothing to migrate
            from servicekit.alembic_upgrade import upgrade

            await upgrade(dsn, schema, migrations)
    finally:
        await connection.close()


async def _version(connection: Any, schema: str) -> str | None:
    if await connection.fetchval("SELECT to_regclass($1)", f"{schema}.alembic_version") is None:
        return None
    return await connection.fetchval(f'SELECT version_num FROM "{schema}".alembic_version')  # noqa: S608
