"""What does the work: commands, queries, the worker and its loops. Loaded while the process takes requests already,
because it needs the Agents SDK, which takes a second of CPU."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from agents import set_tracing_disabled
from asyncpg.pool import Pool

from agent_service.conversations import ConversationService
from agent_service.errors import ModelFailed
from agent_service.models import SelectedModel, SelectedModels, select_models
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
    UsageRepository,
)
from agent_service.run_commands import RunCommands
from agent_service.run_queries import RunQueries
from agent_service.settings import Settings
from agent_service.signals import Signals
from agent_service.stream import EventPublisher
from agent_service.worker import Recovery, Retention, Worker
from agent_service.worker.execution import WorkerDeps
from contracts.chat import AvailableModels, ModelStatus
from servicekit.background import LoopHealth, in_background, repeat
from servicekit.nats_client import Connection

RECOVERY_SECONDS = 2.0
RETENTION_SECONDS = 2.0
JITTER = 0.25
NAME_SECONDS = 10.0
"""The pause between requests for the model's name while its server is away."""


@dataclass(frozen=True)
class Service:
    """The handlers of the service's operations, and its worker."""

    commands: RunCommands
    queries: RunQueries
    conversations: ConversationService
    worker: Worker
    models: SelectedModels

    def status(self) -> ModelStatus:
        return self.models.default.current_status()

    def available_models(self) -> AvailableModels:
        return self.models.available()


@asynccontextmanager
async def working(
    settings: Settings, nc: Connection, pool: Pool, loops: LoopHealth, model: SelectedModel | None
) -> AsyncGenerator[Service]:
    """Executes runs until the block ends. `model`: used instead of the one that the settings select."""
    set_tracing_disabled(True)
    async with (
        EventPublisher(nc, loops).running() as events,
        _closing(SelectedModels(model, {}) if model else select_models(settings)) as selected,
    ):
        deps = WorkerDeps(
            nc=nc,
            loops=loops,
            events=events,
            progress=ProgressRepository(pool),
            approvals=ApprovalRepository(pool),
            records=RunRecordRepository(pool),
            retained=RetainedEventRepository(pool),
            signals=Signals(nc),
            models=selected,
        )
        room = ConversationLimits(settings.conversations_per_user, settings.instructions_bytes_per_user)
        runs, branches = RunRepository(pool), BranchRepository(pool)
        limits = RunLimitRepository(settings.runs_per_user, settings.runs_per_hour, settings.conversations_per_user)
        worker = Worker(deps, ClaimRepository(pool), settings.max_runs)
        recovery = Recovery(RecoveryRepository(pool), worker)
        retention = Retention(nc, RetentionRepository(pool), settings.keep_events_s)
        queries = RunQueries(deps, runs, UsageRepository(pool))
        commands = RunCommands(deps, runs=runs, branches=branches, limits=limits, queries=queries, worker=worker)
        conversations = ConversationService(
            ConversationRepository(pool, room), branches, commands, deps.signals, selected
        )
        async with (
            worker.running(),
            in_background(
                repeat("recovery", recovery.end_overdue, RECOVERY_SECONDS, loops, jitter=JITTER),
                repeat("retention", retention.delete_expired, RETENTION_SECONDS, loops, jitter=JITTER),
                _looking_up(selected.default),
            ),
        ):
            yield Service(commands, queries, conversations, worker, selected)


@asynccontextmanager
async def _closing(models: SelectedModels) -> AsyncGenerator[SelectedModels]:
    try:
        yield models
    finally:
        await models.close()


async def _looking_up(model: SelectedModel) -> None:
    """Until the server, which may be started after this service, has said what its model is called. Of its context
    window it is asked again when a run begins."""
    while True:
        try:
            return await model.look_up()
        except ModelFailed:
            await asyncio.sleep(NAME_SECONDS)
