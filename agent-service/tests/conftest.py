"""The real service in this process, with the real notes service, PostgreSQL and NATS; only the model is scripted."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from agents import ModelSettings
from agents.models.interface import Model

from agent_service.main import running
from agent_service.models import SelectedModel
from agent_service.models.wire import ContextWindow
from agent_service.settings import Settings
from agent_service.worker import Worker
from contracts import chat, subjects
from contracts.actor import Actor
from contracts.ids import new_id
from notes_service import main as notes_main
from notes_service.settings import Settings as NotesSettings
from servicekit import database
from standalone.nats import Nats
from standalone.postgres import Postgres
from standalone.testing import connection

from .people import Person, Serve


@pytest.fixture(scope="module")
async def notes_service(postgres: Postgres, broker: Nats) -> AsyncGenerator[None]:
    """Ends with the module: later packages have theirs on the same broker, with other settings."""
    settings = NotesSettings(database_url=postgres.dsn("notes"), nats_url=broker.url("notes-service"))
    async with notes_main.running(settings):
        yield


@pytest.fixture
async def person(broker: Nats) -> AsyncGenerator[Person]:
    async with connection(broker, "admin") as nc:
        someone = Person(nc, Actor(kind="user", user_id=new_id()))
        await nc.subscribe(subjects.user_signal(someone.actor.user_id), cb=someone.receive_signal)
        yield someone


@pytest.fixture
async def stranger(broker: Nats) -> AsyncGenerator[Person]:
    async with connection(broker, "admin") as nc:
        yield Person(nc, Actor(kind="user", user_id=new_id()))


@pytest.fixture
async def serve(postgres: Postgres, broker: Nats, notes_service: None) -> AsyncGenerator[Serve]:
    """The agent service with this model, or with the model of the settings. What a test leaves unfinished is over with
    it: the workers of the next one would claim it."""

    @asynccontextmanager
    async def serving(selected: Model | SelectedModel | None = None, **changed: Any) -> AsyncGenerator[Worker]:
        settings = Settings(database_url=postgres.dsn("chat"), nats_url=broker.url("agent-service"), **changed)
        status = chat.ModelStatus(mode="live", model="scripted", provider="test")
        if isinstance(selected, Model):
            window = ContextWindow(None, settings.context_window)
            selected = SelectedModel(selected, ModelSettings(), status, settings.model_timeout_s, window=window)
        async with running(settings, selected) as worker:
            yield worker

    yield serving
    async with database.pool(postgres.dsn("chat"), "chat", size=1) as pool:
        if await pool.fetchval("SELECT to_regclass('chat.runs') IS NOT NULL"):
            await pool.execute("UPDATE runs SET done_at = now() WHERE done_at IS NULL")
