"""Work that goes on beside the rest of a service, and has ended when the rest has."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import structlog

log = structlog.stdlib.get_logger()

CANCEL_AGAIN_SECONDS = 0.5


@asynccontextmanager
async def in_background(*works: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """The works go on while the block runs and are over when it is left. One that fails is logged; the others go on."""
    tasks = [asyncio.create_task(work) for work in works]
    for task in tasks:
        task.add_done_callback(_tell)
    try:
        yield
    finally:
        # again and again: until Python 3.12 `asyncio.wait_for`, which libraries use, may swallow a cancellation
        while under_way := [task for task in tasks if not task.done()]:
            for task in under_way:
                task.cancel()
            await asyncio.wait(under_way, timeout=CANCEL_AGAIN_SECONDS)


def _tell(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("background work failed", exc_info=error)
