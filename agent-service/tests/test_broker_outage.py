"""NATS is killed and restarted: new work begins soon, not only when a lost request would have timed out."""

import os
import subprocess
from collections.abc import Generator
from pathlib import Path

import pytest
from agents import ModelSettings
from agents.testing import ScriptedModel, assistant_message

from agent_service.main import running
from agent_service.models import SelectedModel
from agent_service.settings import Settings
from agent_service.worker import jobs
from contracts import chat
from contracts.actor import Actor
from contracts.ids import new_id
from standalone.nats import Nats
from standalone.ports import free_port
from standalone.postgres import Postgres
from standalone.testing import SLOW_SECONDS, connection, until_provisioned

from .people import Person

NEVER_SECONDS = 10 * SLOW_SECONDS
"""A request for jobs that was lost with the server times out only after this time."""


class Broker:
    """A separate NATS server for this test to kill."""

    def __init__(self, folder: Path) -> None:
        self.server = Nats(folder, free_port())
        self.server.initialise()
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self) -> None:
        self.process = subprocess.Popen(
            self.server.command(),
            env=os.environ | self.server.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    async def start(self) -> None:
        self.launch()
        await until_provisioned(self.server)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def own_broker(tmp_path: Path) -> Generator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.kill()


async def test_new_work_is_taken_up_soon_after_a_restart(
    own_broker: Broker, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PULL_SECONDS", NEVER_SECONDS)
    await own_broker.start()
    server = own_broker.server
    settings = Settings(database_url=postgres.dsn("chat"), nats_url=server.url("agent-service"))
    model = ScriptedModel([[assistant_message("Hello.")], [assistant_message("Again.")]])
    status = chat.ModelStatus(mode="live", model="scripted", provider="test")
    selected = SelectedModel(model, ModelSettings(), status, 60)
    async with running(settings, selected), connection(server, "admin") as nc:
        person = Person(nc, Actor(kind="user", user_id=new_id()))
        await person.talk("Hello")
        own_broker.kill()
        await own_broker.start()
        _, received = await person.say_once_served("Hello again")
        await received.done()
    received.assert_contiguous()
