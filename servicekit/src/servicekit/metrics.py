"""The Prometheus registry of one process, or of one application where several live in a process."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector, start_http_server


def new_registry() -> CollectorRegistry:
    """A registry with the process's memory, CPU and descriptors in it."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return registry


@asynccontextmanager
async def served(registry: CollectorRegistry, port: int | None) -> AsyncGenerator[None]:
    """`/metrics` on this port of all interfaces until the end of the block, for a process without another port. With
    None, nothing is served. The registry is read by a thread of its own. Raises `OSError` if the port is taken."""
    if port is None:
        yield
        return
    server, thread = start_http_server(port, registry=registry)
    try:
        yield
    finally:
        await asyncio.to_thread(server.shutdown)
        server.server_close()
        thread.join()
