"""NATS is killed and comes back: new work is taken up soon, not when a lost request would have run out."""

import asyncio
import os
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest
from agent_service.main import running
from agent_service.models import ModelChoice
from agent_service.settings import Settings
from agents import ModelSettings
from agents.testing import ScriptedModel, assistant_message
from contracts.actor import Actor
from contracts.errors import ServiceUnavailable
from contracts.ids import new_id
from standalone.nats import Nats
from standalone.ports import free_port
from standalone.postgres import Postgres
from standalone.readiness import greets
from standalone.testing import connection

from contracts import chat

from .people import Heard, Person

SOON_SECONDS = 4.0
"""A request that the dead server had would have run out after six."""


class Broker:
    """A NATS of this test's own, to be killed."""

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
        async with asyncio.timeout(20):
            while True:
                try:
                    if await greets(self.server.port):
                        return
                except OSError:
                    pass
                await asyncio.sleep(0.02)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def own_broker(tmp_path: Path) -> Generator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.kill()


async def test_new_work_is_taken_up_soon_after_a_restart(own_broker: Broker, postgres: Postgres) -> None:
    await own_broker.start()
    server = own_broker.server
    settings = Settings(database_url=postgres.dsn("chat"), nats_url=server.url("agent-service"))
    model = ScriptedModel([[assistant_message("Hello.")], [assistant_message("Again.")]])
    status = chat.ModelStatus(mode="live", model="scripted", provider="test")
    choice = ModelChoice(model, ModelSettings(), status, 60)
    async with running(settings, choice), connection(server, "admin") as nc:
        person = Person(nc, Actor(kind="user", user_id=new_id()))
        await person.talk("Hello")
        own_broker.kill()
        await own_broker.start()
        began = time.monotonic()
        _, heard = await say_again(person)
        await heard.until(lambda: "run" in heard.names, SOON_SECONDS)
        assert time.monotonic() - began < SOON_SECONDS
        await heard.done()
    heard.assert_contiguous()


async def say_again(person: Person) -> tuple[chat.RunStarted, Heard]:
    """As soon as the broker and the service are back."""
    async with asyncio.timeout(SOON_SECONDS):
        while True:
            try:
                return await person.say("Hello again", client_request_id="once")
            except (ServiceUnavailable, OSError):
                await asyncio.sleep(0.05)
