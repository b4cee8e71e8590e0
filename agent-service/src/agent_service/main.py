"""The wiring of the agent service: opened in order, closed in reverse.

The process takes requests before it has loaded the Agents SDK; those that come meanwhile wait for it.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from asyncpg.pool import Pool
from nats.aio.client import Client

from agent_service.endpoints import handlers
from agent_service.settings import Settings
from contracts import chat, streams
from servicekit import bus, database, health, rpc
from servicekit.background import LoopHealth, in_background
from servicekit.loop_lag import watch_loop_lag
from servicekit.metrics import new_registry, served
from servicekit.process import spare_what_is_loaded, until_stopped
from servicekit.streams import until_provisioned

if TYPE_CHECKING:
    from agent_service.models import SelectedModel
    from agent_service.service import Service
    from agent_service.worker import Worker

NAME = "agent-service"
VERSION = "0.1.0"
SCHEMA = "chat"
SERVICE = "agent_service.service"
MIGRATIONS = Path(__file__).parent / "migrations"


@asynccontextmanager
async def running(settings: Settings, model: "SelectedModel | None" = None) -> AsyncGenerator["Worker"]:
    """The whole service, until the block ends. `model`: used instead of the one that the settings select."""
    workers: list[Worker] = []

    async def reconnected() -> None:
        for worker in workers:
            worker.reconnected()

    registry = new_registry()
    loops = LoopHealth(registry)
    loading: asyncio.Future[Service] = asyncio.get_running_loop().create_future()
    await database.migrate(settings.database_url, SCHEMA, MIGRATIONS)
    async with (
        served(registry, settings.metrics_port),
        database.pool(settings.database_url, SCHEMA) as pool,
        bus.connected(settings.nats_url, NAME, on_reconnect=reconnected) as nc,
        in_background(watch_loop_lag(registry)),
        AsyncExitStack() as requests,
    ):
        await until_provisioned(nc.jetstream(), streams.RUN_JOBS, streams.RUN_WORKERS, streams.RUN_EVENTS)
        await requests.enter_async_context(
            rpc.serve(nc, NAME, VERSION, handlers(loading), queue_group=chat.QUEUE_GROUP)
        )
        heartbeat = health.heartbeat(settings.health_file, lambda: _probe(nc, pool), loops)
        await requests.enter_async_context(in_background(heartbeat))
        await asyncio.to_thread(_load)
        from agent_service.service import working  # noqa: PLC0415  (loaded by now)

        async with working(settings, nc, pool, loops, model) as service:
            workers.append(service.worker)
            loading.set_result(service)
            try:
                yield service.worker
            finally:
                await requests.aclose()  # no new request is taken while the worker ends


def _load() -> None:
    """In a thread, so that the event loop goes on: it answers pings, and the process is known to be there."""
    if SERVICE not in sys.modules:
        import_module(SERVICE)
        spare_what_is_loaded()


async def run(settings: Settings) -> None:
    async with running(settings):
        await until_stopped()


async def _probe(nc: Client, pool: Pool) -> None:
    if not nc.is_connected:
        raise ConnectionError("NATS is not connected")
    await pool.fetchval("SELECT 1")
