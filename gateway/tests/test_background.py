"""No background loop hides a bug: it is logged with its traceback, counted, and in the end the process is not ready."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, NoReturn

import httpx
import pytest
from nats.aio.client import Client
from structlog.testing import capture_logs

from contracts import subjects
from gateway.accounts.repository import AccountRepository
from gateway.live.note_feed import NoteFeed
from gateway.live.stream_history import StreamHistory
from gateway.live.websocket import Socket
from gateway.main import running
from servicekit.background import MAX_FAILURES

from .conftest import Person
from .scripted_agent import ScriptedAgent
from .test_websocket import closed_with, opened, receive, write

pytestmark = pytest.mark.usefixtures("notes_service")


class Bug(Exception):
    pass


def buggy(*_: Any, **__: Any) -> NoReturn:
    raise Bug


@pytest.fixture
async def watched(settings, ada: Person) -> Callable[[], Any]:
    """A separate gateway, to be started after its parts have been replaced by buggy ones."""

    @asynccontextmanager
    async def start() -> AsyncGenerator[str]:
        async with running(settings) as port:
            yield f"http://127.0.0.1:{port}"

    return start


async def expect_not_ready(address: str, loop: str, logs: list[Any]) -> None:
    async with asyncio.timeout(30), httpx.AsyncClient(base_url=address) as http:
        while (answer := await http.get("/readyz")).json()["checks"]["background"] == "ok":
            continue
        assert answer.status_code == 503
        (line,) = [
            line
            for line in (await http.get("/metrics")).text.splitlines()
            if line.startswith(f'inkstream_background_failures_total{{loop="{loop}"}}')
        ]
        assert float(line.split()[-1]) >= MAX_FAILURES
    failures = [entry for entry in logs if entry["event"] == "background work failed"]
    assert {entry["loop"] for entry in failures} == {loop}
    assert all(isinstance(entry["exc_info"], Bug) and entry["exc_info"].__traceback__ for entry in failures)


async def test_in_retention(watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.retention.EVERY_SECONDS", 0.01)
    monkeypatch.setattr(AccountRepository, "delete_expired", buggy)
    with capture_logs() as logs:
        async with watched() as address:
            await expect_not_ready(address, "retention", logs)


async def test_in_the_check_of_open_sessions(watched, ada, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.live.sessions.CHECK_SECONDS", 0.01)
    monkeypatch.setattr(AccountRepository, "valid_sessions", buggy)
    with capture_logs() as logs:
        async with watched() as address, opened(address, ada.cookie) as socket:
            await receive(socket)
            await expect_not_ready(address, "open sessions", logs)


async def test_in_a_run_reader(watched, ada, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StreamHistory, "page", buggy)
    run = agent.new_run(ada.id)
    await agent.whole(run)
    with capture_logs() as logs:
        async with watched() as address:
            for _ in range(MAX_FAILURES):
                text = (await ada.http.get(f"{address}/api/runs/{run.id}/events")).text
                assert "event: run_error" in text
                assert '"code":"internal"' in text
                assert text.endswith(
                    'event: done\ndata: {"done":true,"status":"failed","usage":'
                    '{"input_tokens":0,"output_tokens":0,"requests":0}}\n\n'
                )
            await expect_not_ready(address, "run reader", logs)


async def test_in_a_run_reader_that_receives(
    watched, ada, agent: ScriptedAgent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.live.reader_state_machine.ReaderStateMachine.received", buggy)
    agent.on_start = agent.whole
    with capture_logs() as logs:
        async with watched() as address:
            for _ in range(MAX_FAILURES):
                text = (await ada.http.post(f"{address}/api/chat", json={"message": "hello"})).text
                assert "event: run_error" in text
            await expect_not_ready(address, "run reader", logs)


async def test_in_a_note_feed(watched, ada, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.live.note_feed.RETRY_SECONDS", 0.01)
    monkeypatch.setattr(NoteFeed, "_fetch", buggy)
    await write(ada)
    with capture_logs() as logs:
        async with watched() as address, opened(address, ada.cookie, "?since=0") as socket:
            await receive(socket)
            await expect_not_ready(address, "note feed", logs)


async def test_in_a_listener_of_the_hub(
    watched, ada, agent_connection: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Socket, "on_message", buggy)
    with capture_logs() as logs:
        async with watched() as address, opened(address, ada.cookie) as socket:
            await receive(socket)
            for _ in range(MAX_FAILURES):
                await agent_connection.publish(subjects.user_signal(ada.id), b'{"type": "run_changed"}')
            await expect_not_ready(address, "live hub", logs)


async def test_in_a_websocket(watched, ada, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Socket, "_answer", buggy)
    with capture_logs() as logs:
        async with watched() as address:
            for _ in range(MAX_FAILURES):
                async with opened(address, ada.cookie) as socket:
                    await socket.send('{"type": "ping"}')
                    assert await closed_with(socket) == 1011
            await expect_not_ready(address, "websocket", logs)
