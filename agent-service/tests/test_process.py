"""Real processes and real signals."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from contracts import notes
from standalone.nats import Nats
from standalone.postgres import Postgres
from standalone.testing import SLOW_SECONDS
from tests.model_server import Calls, ModelServer, OpenAnswer, Text

from .people import Person, Serve

RUN = "runpy.run_module('agent_service', {}, '__main__')"


@contextmanager
def process(environment: dict[str, str], log: Path) -> Generator[subprocess.Popen[bytes]]:
    """Runs `python -m agent_service` until the block ends. It drains for one second, not ten."""
    program = f"import runpy; from agent_service.worker import worker; worker.DRAIN_SECONDS = 1.0; {RUN}"
    with log.open("ab") as output:
        service = subprocess.Popen(
            [sys.executable, "-c", program], env=os.environ | environment, stdout=output, stderr=output
        )
        try:
            yield service
        finally:
            service.kill()
            service.wait()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_killed_in_mid_answer(
    serve: Serve, person: Person, postgres: Postgres, broker: Nats, tmp_path: Path, end: signal.Signals
) -> None:
    """Another worker repeats the answer; the first one's tool call takes effect once. A graceful shutdown is slower."""
    async with ModelServer() as server:
        server.script(Calls([("create_note", {"title": "Once"})]), OpenAnswer())
        server.default = Text("A whole answer.")
        environment = {"OPENAI_BASE_URL": server.base_url, "INKSTREAM_MODEL": "local"}
        environment |= {"DATABASE_URL": postgres.dsn("chat"), "NATS_URL": broker.url("agent-service")}
        with process(environment, tmp_path / "log") as service:
            _, received = await person.say_once_served("Make a note")
            await received.until(lambda: received.text.count("word") > 3)
            service.send_signal(end)
            async with serve(openai_base_url=server.base_url, model="local"):
                await received.done()
            if end == signal.SIGTERM:
                assert await asyncio.to_thread(service.wait, SLOW_SECONDS) == 0
        titles = [note.title for note in (await person.ask(notes.LIST)).notes]
    received.assert_contiguous()
    assert titles == ["Once"]
    assert received.of("restart") == [{"attempt": 2}]
    assert received.of("message")[-1]["text"] == "A whole answer."
    assert received.names.count("tool_done") == 1
