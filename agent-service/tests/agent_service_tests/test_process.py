"""Real processes and real signals."""

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
from tests.model_server import Calls, ModelServer, Text

from .people import Person, Serve


@contextmanager
def process(environment: dict[str, str], log: Path) -> Generator[subprocess.Popen[bytes]]:
    """`python -m agent_service`, until the block ends."""
    with log.open("ab") as output:
        service = subprocess.Popen(
            [sys.executable, "-m", "agent_service"], env=os.environ | environment, stdout=output, stderr=output
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
    """Another worker tells it anew; what the first one's tool did stays done once. A gentle end takes its time."""
    async with ModelServer() as server:
        server.script(Calls([("create_note", {"title": "Once"})]), Text("slow " * 600, tokens_per_second=50))
        server.default = Text("A whole answer.")
        environment = {"OPENAI_BASE_URL": server.base_url, "INKSTREAM_MODEL": "local"}
        environment |= {"DATABASE_URL": postgres.dsn("chat"), "NATS_URL": broker.url("agent-service")}
        with process(environment, tmp_path / "log") as service:
            _, heard = await person.say_once_served("Make a note")
            await heard.until(lambda: heard.text.count("slow") > 3)
            service.send_signal(end)
            async with serve(openai_base_url=server.base_url, model="local"):
                await heard.done(seconds=60)
            if end == signal.SIGTERM:
                assert service.wait(30) == 0
        titles = [note.title for note in (await person.ask(notes.LIST)).notes]
    heard.assert_contiguous()
    assert titles == ["Once"]
    assert heard.of("restart") == [{"attempt": 2}]
    assert heard.of("message")[-1]["text"] == "A whole answer."
    assert heard.names.count("tool_done") == 1
