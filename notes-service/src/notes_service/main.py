"""Wiring: what the service opens, in order, and closes in reverse."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog
from asyncpg.pool import Pool
from nats.aio.client import Client

from contracts import notes, streams
from notes_service import VERSION
from notes_service.backlinks import Backlinks
from notes_service.endpoints import handlers
from notes_service.history import NotesHistory
from notes_service.housekeeping import keep_house
from notes_service.import_worker import ImportWorker
from notes_service.quota import Quota
from notes_service.relay import Relay
from notes_service.repository import Changes
from notes_service.repository.imports import Imports
from notes_service.service import Meaning, NotesService
from notes_service.settings import Settings
from notes_service.transfers import Exports, ImportDesk
from notes_service.writes import Writes
from servicekit import bus, database, health, rpc
from servicekit.background import LoopHealth, in_background
from servicekit.metrics import new_registry
from servicekit.process import until_stopped
from servicekit.streams import ensure_streams

log = structlog.stdlib.get_logger()

NAME = "notes-service"
SCHEMA = "notes"
MIGRATIONS = Path(__file__).parent / "migrations"


@asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[None]:
    """The whole service in this process, until the block ends. Calls under way are finished first."""
    async with AsyncExitStack() as stack:
        await database.migrate(settings.database_url, SCHEMA, MIGRATIONS)
        pool = await stack.enter_async_context(database.pool(settings.database_url, SCHEMA))
        nc = await stack.enter_async_context(bus.connected(settings.nats_url, NAME))
        await ensure_streams(nc.jetstream(), streams.NOTE_EVENTS)

        async def probe() -> None:
            await pool.fetchval("SELECT 1")
            await nc.flush(2)

        loops = LoopHealth(new_registry())
        relay = Relay(nc, Changes(pool))
        await stack.enter_async_context(relay.running())
        writes = Writes(pool, relay, settings.search_language, Quota(settings.notes_per_user, settings.bytes_per_user))
        await stack.enter_async_context(in_background(keep_house(pool, writes)))
        worker = ImportWorker(nc, Imports(pool), writes)
        await stack.enter_async_context(worker.running())
        exports = Exports(nc, pool)
        await stack.enter_async_context(exports.running())
        desk = ImportDesk(Imports(pool), worker)
        meaning = await stack.enter_async_context(_meaning(settings, nc, pool))
        service, history = NotesService(pool, writes, meaning), NotesHistory(pool, writes)
        answers = handlers(service, history, Backlinks(pool), desk, exports)
        await stack.enter_async_context(rpc.serve(nc, NAME, VERSION, answers, queue_group=notes.QUEUE_GROUP))
        await stack.enter_async_context(in_background(health.heartbeat(settings.health_file, probe, loops)))
        log.info("started")
        yield
        log.info("stopping")


@asynccontextmanager
async def _meaning(settings: Settings, nc: Client, pool: Pool) -> AsyncGenerator[Meaning | None]:
    """None where search is by words alone: what it needs is then not even loaded."""
    if settings.embeddings_model is None:
        yield None
        return
    from notes_service.meaning.opening import opened  # noqa: PLC0415

    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    async with opened(nc, pool, settings.embeddings_model, settings.openai_base_url, key) as meaning:
        yield meaning


async def run(settings: Settings) -> None:
    async with running(settings):
        await until_stopped()
