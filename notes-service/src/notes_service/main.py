"""The composition root: opens the service's resources in order and closes them in reverse."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from asyncpg.pool import Pool
from nats.aio.client import Client

from contracts import notes, streams
from notes_service import VERSION
from notes_service.endpoints import handlers
from notes_service.exports import ExportService
from notes_service.files.collection import collection
from notes_service.files.service import FileService
from notes_service.import_worker import ImportWorker
from notes_service.imports import ImportService
from notes_service.link_service import LinkService
from notes_service.quota import Quota
from notes_service.relay import Relay
from notes_service.repository import ChangeRepository
from notes_service.repository.files import FileQuota, FileRepository
from notes_service.repository.imports import ImportRepository
from notes_service.retention import retention
from notes_service.revisions import RevisionService
from notes_service.service import NotesService
from notes_service.settings import Settings
from notes_service.undo import UndoService
from notes_service.unit_of_work import UnitOfWork
from servicekit import bus, database, health, rpc
from servicekit.background import LoopHealth, in_background
from servicekit.loop_lag import watch_loop_lag
from servicekit.metrics import new_registry, served
from servicekit.object_store import ObjectStore
from servicekit.process import until_stopped
from servicekit.streams import until_provisioned

if TYPE_CHECKING:
    from notes_service.semantic.search import SemanticSearch

log = structlog.stdlib.get_logger()

NAME = "notes-service"
SCHEMA = "notes"
MIGRATIONS = Path(__file__).parent / "migrations"
DATABASE_CONNECTIONS = 16
"""For the requests under way, the import workers, the relay, exports and the index by meaning."""


@asynccontextmanager
async def running(settings: Settings) -> AsyncGenerator[None]:
    """Runs the service until the block ends. Requests in progress are finished first."""
    async with AsyncExitStack() as stack:
        await database.migrate(settings.database_url, SCHEMA, MIGRATIONS)
        pool = await stack.enter_async_context(database.pool(settings.database_url, SCHEMA, size=DATABASE_CONNECTIONS))
        nc = await stack.enter_async_context(bus.connected(settings.nats_url, NAME))
        await until_provisioned(nc.jetstream(), streams.NOTE_EVENTS, streams.NOTE_INDEXERS)

        async def probe() -> None:
            await pool.fetchval("SELECT 1")
            await nc.flush(2)

        registry = new_registry()
        await stack.enter_async_context(served(registry, settings.metrics_port))
        loops = LoopHealth(registry)
        await stack.enter_async_context(in_background(watch_loop_lag(registry)))
        relay = Relay(nc, ChangeRepository(pool), loops)
        await stack.enter_async_context(relay.running())
        quota = Quota(settings.notes_per_user, settings.bytes_per_user)
        unit_of_work = UnitOfWork(pool, relay, settings.search_language, quota)
        await stack.enter_async_context(in_background(retention(pool, unit_of_work, loops)))
        worker = ImportWorker(nc, ImportRepository(pool), unit_of_work, loops)
        await stack.enter_async_context(worker.running())
        exports = ExportService(nc, pool, loops)
        await stack.enter_async_context(exports.running())
        files = FileRepository(pool, FileQuota(settings.files_per_user, settings.file_bytes_per_user))
        store = ObjectStore(settings.files_url)
        if settings.files_url is not None:
            await stack.enter_async_context(in_background(collection(files, store, loops)))
        semantic = await stack.enter_async_context(_semantic_search(settings, nc, pool, loops))
        endpoints = handlers(
            service=NotesService(pool, unit_of_work, semantic),
            revisions=RevisionService(pool, unit_of_work),
            undo=UndoService(unit_of_work),
            links=LinkService(pool, unit_of_work),
            imports=ImportService(ImportRepository(pool), worker),
            exports=exports,
            file_service=FileService(files, store, settings.file_max_bytes),
        )
        await stack.enter_async_context(rpc.serve(nc, NAME, VERSION, endpoints, queue_group=notes.QUEUE_GROUP))
        await stack.enter_async_context(in_background(health.heartbeat(settings.health_file, probe, loops)))
        log.info("started")
        yield
        log.info("stopping")


@asynccontextmanager
async def _semantic_search(
    settings: Settings, nc: Client, pool: Pool, loops: LoopHealth
) -> AsyncGenerator["SemanticSearch | None"]:
    """None without an embeddings model; the modules for it are not loaded then."""
    if settings.embeddings_model is None:
        yield None
        return
    from notes_service.semantic.setup import semantic_search  # noqa: PLC0415

    key = settings.openai_api_key.get_secret_value() if settings.openai_api_key else None
    async with semantic_search(
        nc, pool, loops, model=settings.embeddings_model, base_url=settings.openai_base_url, key=key
    ) as search:
        yield search


async def run(settings: Settings) -> None:
    async with running(settings):
        await until_stopped()
