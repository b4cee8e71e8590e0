"""A bug in a background loop fails the process's readiness, and the loop continues."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from agents import ModelSettings
from agents.testing import ModelStep, ScriptedModel, assistant_message
from nats.errors import TimeoutError as NatsTimeoutError

from agent_service.main import running
from agent_service.models import SelectedModel
from agent_service.repository import ClaimRepository, RecoveryRepository, RetentionRepository
from agent_service.settings import Settings
from agent_service.stream import RunPublisher
from agent_service.worker import Worker
from agent_service.worker.jobs import JobPuller
from contracts import chat
from servicekit import health
from servicekit.background import LoopFailing
from standalone.nats import Nats
from standalone.postgres import Postgres
from standalone.testing import until

from .people import Person

LOOPS = {
    "recovery": (RecoveryRepository, "overdue"),
    "retention": (RetentionRepository, "expire_events"),
    "claim runs": (ClaimRepository, "claim_next"),
    "heartbeat": (ClaimRepository, "renew"),
    "pull jobs": (JobPuller, "_wait"),
    "resend events": (RunPublisher, "resend"),
}
"""Per loop, a function that it calls on every iteration, or on every iteration while a run is active."""


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("service.RECOVERY_SECONDS", "service.RETENTION_SECONDS"):
        monkeypatch.setattr(f"agent_service.{name}", 0.05)
    for name in ("HEARTBEAT_SECONDS", "POLL_SECONDS"):
        monkeypatch.setattr(f"agent_service.worker.worker.{name}", 0.05)
    monkeypatch.setattr("agent_service.worker.jobs.PULL_SECONDS", 0.2)
    monkeypatch.setattr("agent_service.worker.jobs.RETRY_SECONDS", 0.05)
    monkeypatch.setattr("agent_service.stream.event_publisher.RESEND_SECONDS", 0.05)
    monkeypatch.setattr(health, "HEARTBEAT_SECONDS", 0.05)


@asynccontextmanager
async def serving(
    postgres: Postgres, broker: Nats, health_file: Path, go: asyncio.Event
) -> AsyncGenerator[tuple[Worker, ScriptedModel]]:
    """A service whose model answers when `go` is set."""

    async def answer(_: Any) -> Any:
        await go.wait()
        return [assistant_message("Hello.")]

    model = ScriptedModel([ModelStep.respond(answer)])
    selected = SelectedModel(
        model, ModelSettings(), chat.ModelStatus(mode="live", model="scripted", provider="test"), timeout=60
    )
    settings = Settings(
        database_url=postgres.dsn("chat"), nats_url=broker.url("agent-service"), health_file=health_file
    )
    async with running(settings, selected) as worker:
        yield worker, model


@pytest.mark.parametrize("loop", LOOPS)
async def test_a_bug_in_a_loop_fails_readiness_until_it_is_gone(
    loop: str,
    person: Person,
    notes_service: None,
    postgres: Postgres,
    broker: Nats,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del notes_service
    owner, method = LOOPS[loop]
    go, healthy = asyncio.Event(), tmp_path / "healthy"

    def bug(*_: Any, **__: Any) -> Any:
        raise KeyError("a bug")

    async with serving(postgres, broker, healthy, go) as (worker, model):
        _, received = await person.say("Hello")
        await until("a model that is called", lambda: _resolved(bool(model.calls)))
        with monkeypatch.context() as patch:
            patch.setattr(owner, method, bug)
            worker._puller.places_changed()

            async def fails() -> bool:
                try:
                    worker.deps.loops.check()
                except LoopFailing as error:
                    return str(error) == loop
                return False

            await until(f"a failing loop {loop!r}", fails)
            await until("no sign of health", lambda: _stays_absent(healthy))
        await until("a service that is ready again", lambda: _resolved(healthy.exists()))
        worker.deps.loops.check()
        go.set()
        await received.done()
    received.assert_contiguous()


@pytest.mark.parametrize("loop", ["recovery", "retention", "claim runs", "heartbeat"])
async def test_an_outage_does_not(
    loop: str,
    person: Person,
    notes_service: None,
    postgres: Postgres,
    broker: Nats,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    del notes_service
    owner, method = LOOPS[loop]
    go, failures = asyncio.Event(), 0

    async def unavailable(*_: Any, **__: Any) -> Any:
        nonlocal failures
        failures += 1
        raise NatsTimeoutError

    async with serving(postgres, broker, tmp_path / "healthy", go) as (worker, model):
        _, received = await person.say("Hello")
        await until("a model that is called", lambda: _resolved(bool(model.calls)))
        with monkeypatch.context() as patch:
            patch.setattr(owner, method, unavailable)
            await until("several failures", lambda: _resolved(failures > 5))
        worker.deps.loops.check()
        go.set()
        await received.done()


async def _resolved(value: bool) -> bool:
    return value


async def _stays_absent(file: Path) -> bool:
    """Whether the removed file is not created again within some heartbeats."""
    file.unlink(missing_ok=True)
    await asyncio.sleep(0.3)
    return not file.exists()
