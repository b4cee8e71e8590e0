"""The wiring of the agent service: opened in order, closed in reverse."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from agents import set_tracing_disabled
from asyncpg.pool import Pool
from nats.aio.client import Client

from agent_service.conversations import ConversationService
from agent_service.endpoints import handlers
from agent_service.errors import ModelFailed
from agent_service.models import SelectedModel, select_model
from agent_service.repository import (
    ApprovalRepository,
    BranchRepository,
    ClaimRepository,
    ConversationLimits,
    ConversationRepository,
    ProgressRepository,
    RecoveryRepository,
    RetainedEventRepository,
    RetentionRepository,
    RunLimitRepository,
    RunRecordRepository,
    RunRepository,
)
from agent_service.run_commands import RunCommands
from agent_service.run_queries import RunQueries
from agent_service.settings import Settings
from agent_service.signals import Signals
from agent_service.stream import EventPublisher
from agent_service.worker import Recovery, Retention, Worker
from agent_service.worker.execution import WorkerDeps
from contracts import chat, streams
from servicekit import bus, database, health, rpc
from servicekit.background import LoopHealth, in_background, repeat
from servicekit.loop_lag import watch_loop_lag
from servicekit.metrics import new_registry, served
from servicekit.process import until_stopped
from servicekit.streams import until_provisioned

NAME = "agent-service"
VERSION = "0.1.0"
SCHEMA = "chat"
MIGRATIONS = Path(__file__).parent / "migrations"
RECOVERY_SECONDS = 2.0
RETENTION_SECONDS = 2.0
JITTER = 0.25
NAME_SECONDS = 10.0
"""The pause between requests for the model's name while its server is away."""


@asynccontextmanager
async def running(settings: Settings, model: SelectedModel | None = None) -> AsyncGenerator[Worker]:
    """The whole service, until the block ends. `model`: used instead of the one that the settings select."""
    workers: list[Worker] = []

    async def reconnected() -> None:
        for worker in workers:
            worker.reconnected()

    set_tracing_disabled(True)
    registry = new_registry()
    loops = LoopHealth(registry)
    await database.migrate(settings.database_url, SCHEMA, MIGRATIONS)
    async with (
        served(registry, settings.metrics_port),
        database.pool(settings.database_url, SCHEMA) as pool,
        bus.connected(settings.nats_url, NAME, on_reconnect=reconnected) as nc,
        EventPublisher(nc, loops).running() as events,
        _closing(model or select_model(settings)) as selected,
    ):
        await until_provisioned(nc.jetstream(), streams.RUN_JOBS, streams.RUN_WORKERS, streams.RUN_EVENTS)
        deps = WorkerDeps(
            nc=nc,
            loops=loops,
            events=events,
            progress=ProgressRepository(pool),
            approvals=ApprovalRepository(pool),
            records=RunRecordRepository(pool),
            retained=RetainedEventRepository(pool),
            signals=Signals(nc),
            model=selected,
        )
        room = ConversationLimits(settings.conversations_per_user, settings.instructions_bytes_per_user)
        runs, branches = RunRepository(pool), BranchRepository(pool)
        limits = RunLimitRepository(settings.runs_per_user, settings.runs_per_hour, settings.conversations_per_user)
        worker = Worker(deps, ClaimRepository(pool), settings.max_runs)
        recovery = Recovery(RecoveryRepository(pool), worker)
        retention = Retention(nc, RetentionRepository(pool), settings.keep_events_s)
        queries = RunQueries(deps, runs)
        commands = RunCommands(deps, runs=runs, branches=branches, limits=limits, queries=queries, worker=worker)
        conversations = ConversationService(ConversationRepository(pool, room), branches, commands, deps.signals)
        operations = handlers(commands, queries, conversations, selected.current_status)
        workers.append(worker)
        async with (
            worker.running(),
            in_background(
                watch_loop_lag(registry),
                repeat("recovery", recovery.end_overdue, RECOVERY_SECONDS, loops, jitter=JITTER),
                repeat("retention", retention.delete_expired, RETENTION_SECONDS, loops, jitter=JITTER),
                _looking_up_name(selected),
            ),
            rpc.serve(nc, NAME, VERSION, operations, queue_group=chat.QUEUE_GROUP),
            in_background(health.heartbeat(settings.health_file, lambda: _probe(nc, pool), loops)),
        ):
            yield worker


async def run(settings: Settings) -> None:
    async with running(settings):
        await until_stopped()


@asynccontextmanager
async def _closing(model: SelectedModel) -> AsyncGenerator[SelectedModel]:
    try:
        yield model
    finally:
        await model.close()


async def _looking_up_name(model: SelectedModel) -> None:
    """Until the server has named its model, which may be started after this service."""
    while True:
        try:
            return await model.look_up_name()
        except ModelFailed:
            await asyncio.sleep(NAME_SECONDS)


async def _probe(nc: Client, pool: Pool) -> None:
    if not nc.is_connected:
        raise ConnectionError("NATS is not connected")
    await pool.fetchval("SELECT 1")
