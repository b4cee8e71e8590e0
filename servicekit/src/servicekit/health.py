"""The health of a process without a port: it touches a file regularly while it works.

A container's health check and the standalone supervisor look at the file's age.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from servicekit.background import LoopHealth
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

HEARTBEAT_SECONDS = 2.0
STALE_SECONDS = 10.0
"""A file older than this belongs to a process that is down, cannot reach what it needs, or has a loop that fails."""


async def heartbeat(file: Path | None, probe: Callable[[], Awaitable[object]], loops: LoopHealth) -> None:
    """Runs until cancelled. `probe` raises while a dependency cannot be reached. Without a file it does nothing."""
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    while True:
        try:
            await asyncio.wait_for(probe(), STALE_SECONDS / 2)
            loops.check()
        except Exception as error:  # on any error the process is not ready
            log.warning("not ready", error=describe(error))
        else:
            file.touch()
        await asyncio.sleep(HEARTBEAT_SECONDS)
