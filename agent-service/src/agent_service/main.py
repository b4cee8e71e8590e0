"""The wiring of the agent service: opened in order, closed in reverse."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from agents import set_tracing_disabled
from asyncpg.pool import Pool
from nats.aio.client import Client

from agent_service.conversations import Conversations
from agent_service.endpoints import handlers
from agent_service.models import ModelChoice, choose
from agent_service.repository import (
    AllowanceRepository,
    ApprovalRepository,
    BranchRepository,
    ClaimRepository,
    ConversationRepository,
    ProgressRepository,
    RecordRepository,
    RetainedEventRepository,
    RunRepository,
    SweepRepository,
)
from agent_service.runs import Runs
from agent_service.settings import Settings
from agent_service.signals import Signals
from agent_service.starts import Starts
from agent_service.stream import Acks
from agent_service.worker import Sweeper, Worker
from agent_service.worker.execution import Workshop
from contracts import chat, streams
from servicekit import bus, database, health, rpc
from servicekit.background import LoopHealth, in_background
from servicekit.metrics import new_registry
from servicekit.process import until_stopped
from servicekit.streams import ensure_streams

NAME = "agent-service"
VERSION = "0.1.0"
SCHEMA = "chat"
MIGRATIONS = Path(__file__).parent / "migrations"


@asynccontextmanager
async def running(settings: Settings, choice: ModelChoice | None = None) -> AsyncGenerator[Worker]:
    """The whole service, until the block ends. `choice`: another model than the settings'."""
    workers: list[Worker] = []

    async def reconnected() -> None:
        for started in workers:
            started.reconnected()

    set_tracing_disabled(True)
    for library in ("httpx2", "alembic"):  # a line for every request
        logging.getLogger(library).setLevel(logging.WARNING)
    await database.migrate(settings.database_url, SCHEMA, MIGRATIONS)
    async with (
        database.pool(settings.database_url, SCHEMA) as pool,
        bus.connected(settings.nats_url, NAME, on_reconnect=reconnected) as nc,
        Acks(nc).listening() as acks,
        _chosen(choice or choose(settings)) as model,
    ):
        await ensure_streams(nc.jetstream(), streams.RUN_JOBS, streams.RUN_EVENTS)
        loops = LoopHealth(new_registry())
        shop = Workshop(
            nc=nc,
            acks=acks,
            progress=ProgressRepository(pool),
            approvals=ApprovalRepository(pool),
            record=RecordRepository(pool),
            kept=RetainedEventRepository(pool),
            signals=Signals(nc),
            choice=model,
        )
        runs = RunRepository(pool)
        worker = Worker(shop, ClaimRepository(pool), settings.max_runs)
        sweeper = Sweeper(nc, SweepRepository(pool), worker, settings.keep_events_s)
        allowances = AllowanceRepository(settings.runs_per_user, settings.runs_per_hour)
        branches = BranchRepository(pool)
        starts = Starts(nc, shop.signals, runs, branches, allowances)
        asked = Runs(shop, runs, worker)
        conversations = Conversations(ConversationRepository(pool), branches, asked, shop.signals)
        answers = handlers(starts, asked, conversations, shop.choice.status)
        workers.append(worker)
        async with (
            worker.working(),
            in_background(sweeper.sweep()),
            rpc.serve(nc, NAME, VERSION, answers, queue_group=chat.QUEUE_GROUP),
            in_background(health.heartbeat(settings.health_file, lambda: _probe(nc, pool), loops)),
        ):
            yield worker


async def run(settings: Settings) -> None:
    async with running(settings):
        await until_stopped()


@asynccontextmanager
async def _chosen(choice: ModelChoice) -> AsyncGenerator[ModelChoice]:
    try:
        yield choice
    finally:
        await choice.close()


async def _probe(nc: Client, pool: Pool) -> None:
    if not nc.is_connected:
        raise ConnectionError("NATS is away")
    await pool.fetchval("SELECT 1")
