"""How late the event loop is: everything that a process answers waits for it."""

import asyncio

import structlog
from prometheus_client import CollectorRegistry, Histogram

log = structlog.stdlib.get_logger()

EVERY_SECONDS = 0.1
BUCKETS = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
LOGGED_SECONDS = 1.0
"""So late is a line in the log: a process without a port for metrics has no other place to say it."""


async def watch_loop_lag(registry: CollectorRegistry) -> None:
    """Measures until cancelled, by how much later a sleep ends than it should. On a machine that has too much to do,
    that includes what the process waited for a core."""
    lag = Histogram(
        "inkstream_event_loop_lag_seconds",
        "How much later than planned the event loop came to a task.",
        buckets=BUCKETS,
        registry=registry,
    )
    clock = asyncio.get_running_loop().time
    while True:
        planned = clock() + EVERY_SECONDS
        await asyncio.sleep(EVERY_SECONDS)
        late = max(clock() - planned, 0.0)
        lag.observe(late)
        if late >= LOGGED_SECONDS:
            log.warning("event loop late", seconds=round(late, 3))
