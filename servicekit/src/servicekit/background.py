"""Background loops of a service, which end with it.

A loop must not hide a bug. `attempt` and `repeat` distinguish an outage from a bug: an outage of NATS or PostgreSQL is
expected and is logged as a one-line warning only; anything else is logged with its traceback, counted, and after
`MAX_FAILURES` in a row `LoopHealth.check` fails, so that the process is reported as not ready and gets restarted.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from nats.errors import Error as NatsError
from prometheus_client import CollectorRegistry, Counter

from contracts.errors import ServiceUnavailable
from servicekit.database_timeout import DATABASE_UNAVAILABLE
from servicekit.error_logging import describe
from servicekit.errors import Reportable

log = structlog.stdlib.get_logger()

CANCEL_AGAIN_SECONDS = 0.5
MAX_FAILURES = 3
"""Consecutive unexpected failures of one loop after which the process is not ready."""
OUTAGE = (NatsError, ServiceUnavailable, *DATABASE_UNAVAILABLE)


class LoopFailing(Reportable):
    """A background loop has failed several times in a row, and not because of an outage."""


class LoopHealth:
    """Whether the background loops of one process work: unexpected failures in a row, by the loop's name."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._in_a_row: dict[str, int] = {}
        self._failures = Counter(
            "inkstream_background_failures", "Unexpected failures of background loops.", ["loop"], registry=registry
        )

    def succeeded(self, name: str) -> None:
        self._in_a_row.pop(name, None)

    def failed(self, name: str) -> None:
        self._in_a_row[name] = self._in_a_row.get(name, 0) + 1
        self._failures.labels(name).inc()

    def check(self) -> None:
        """Raises `LoopFailing` while a loop has failed `MAX_FAILURES` times or more in a row."""
        failing = [name for name, count in self._in_a_row.items() if count >= MAX_FAILURES]
        if failing:
            raise LoopFailing(", ".join(failing))


def is_outage(error: BaseException) -> bool:
    """Whether the error is an outage of NATS or PostgreSQL, and not a bug."""
    return isinstance(error, OUTAGE) and not isinstance(error, ValueError)  # asyncpg's DataError: a bad argument


def report(name: str, error: Exception, health: LoopHealth) -> None:
    """Logs a failure of the loop `name`: an outage as a warning, anything else with its traceback, and counted."""
    if is_outage(error):
        log.warning("background work postponed", loop=name, error=describe(error))
    else:
        health.failed(name)
        log.error("background work failed", loop=name, exc_info=error)


async def attempt(name: str, work: Callable[[], Awaitable[object]], health: LoopHealth) -> bool:
    """Runs one iteration of the loop `name`. False if it failed, which is reported."""
    try:
        await work()
    except Exception as error:
        report(name, error, health)
        return False
    health.succeeded(name)
    return True


async def repeat(
    name: str,
    work: Callable[[], Awaitable[object]],
    every: float,
    health: LoopHealth,
    *,
    jitter: float = 0.0,
    wake: asyncio.Event | None = None,
) -> None:
    """Runs `work` at once and then every `every` seconds, or as soon as `wake` is set, until cancelled.

    `jitter` varies the pause by that share in either direction, so that replicas do not run in step. A failed iteration
    is followed by the next one after the same pause.
    """
    while True:
        if wake is not None:
            wake.clear()
        await attempt(name, work, health)
        pause = every * random.uniform(1 - jitter, 1 + jitter)  # noqa: S311  (spreading load, no secret)
        if wake is None:
            await asyncio.sleep(pause)
        else:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await wake.wait()


@asynccontextmanager
async def in_background(*works: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Runs the works until the end of the block. If one fails, that is logged and the others continue."""
    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(_log_failure)
    try:
        yield
    finally:
        # repeatedly: until Python 3.12 `asyncio.wait_for`, which libraries use, may swallow a cancellation
        while under_way := [task for task in tasks if not task.done()]:
            for task in under_way:
                task.cancel()
            await asyncio.wait(under_way, timeout=CANCEL_AGAIN_SECONDS)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("background work ended", exc_info=error)
