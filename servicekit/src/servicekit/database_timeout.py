"""Outages of the database: the driver's errors for them, and a limit on how long a caller waits."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any

import asyncpg
import structlog

from contracts.errors import ServiceUnavailable
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

DATABASE_UNAVAILABLE = (
    OSError,
    TimeoutError,  # a statement that hangs with the server
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection lost in the middle of a prepare
)
ANSWER_SECONDS = 3.0
"""A caller waits for 5 s, and aborting a statement may take 2 s."""


def with_database_timeout(
    handler: Callable[[Any], Awaitable[Any]], seconds: float = ANSWER_SECONDS
) -> Callable[[Any], Awaitable[Any]]:
    """Wraps a handler: raises `ServiceUnavailable` if the database cannot be reached or the handler is not done after
    `seconds`, which is less than its caller waits."""

    @wraps(handler)
    async def answer(request: Any) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await handler(request)
        except DATABASE_UNAVAILABLE as error:
            if isinstance(error, ValueError):  # an argument that asyncpg cannot send: a bug here
                raise
            log.warning("the database does not answer", error=describe(error))
            raise ServiceUnavailable from error

    return answer
