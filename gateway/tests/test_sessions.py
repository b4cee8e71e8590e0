"""Streams end with their session; for WebSockets see `test_websocket`."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest
from httpx_sse import ServerSentEvent, aconnect_sse

from contracts.run_events import Token
from gateway.main import running
from standalone.testing import SLOW_SECONDS

from .conftest import PASSWORD, Person
from .scripted_agent import ScriptedAgent, ScriptedRun
from .test_websocket import closed_with, opened, receive

pytestmark = pytest.mark.usefixtures("notes_service")


@asynccontextmanager
async def watching(agent: ScriptedAgent, run: ScriptedRun, http: httpx.AsyncClient, base: str = "") -> AsyncGenerator:
    """The remaining events of an open stream."""
    run.status = "waiting"
    async with aconnect_sse(http, "GET", f"{base}/api/runs/{run.id}/events") as source:
        stream = source.aiter_sse()
        if not run.published:
            await agent.emit(run, Token(token="begun"))
        assert (await anext(stream)).event == "token"
        yield stream


async def rest(stream: AsyncGenerator[ServerSentEvent]) -> list[str]:
    async with asyncio.timeout(SLOW_SECONDS):
        return [event.event async for event in stream]


async def sign_in_again(person: Person, nobody: httpx.AsyncClient) -> None:
    answer = await nobody.post("/api/auth/login", json={"username": person.name, "password": PASSWORD})
    assert answer.status_code == 200


async def test_signing_out_ends_this_sessions_streams_only(ada, nobody, agent) -> None:
    run = agent.new_run(ada.id)
    await sign_in_again(ada, nobody)
    async with watching(agent, run, ada.http) as leaving, watching(agent, run, nobody) as staying:
        cookies = {"Cookie": f"inkstream_session={ada.cookie}"}
        assert (await ada.http.post("/api/auth/logout")).status_code == 204
        assert await rest(leaving) == []  # no `done`: the run goes on
        again = await nobody.get(f"/api/runs/{run.id}/events?after=1", headers=cookies)
        assert (again.status_code, again.json()["code"]) == (401, "auth_required")
        await agent.end(run)
        assert await rest(staying) == ["done"]


async def test_an_answer_streamed_to_its_question_ends_too(ada, agent) -> None:
    async with aconnect_sse(ada.http, "POST", "/api/chat", json={"message": "hello"}) as source:
        (run,) = [run for run in agent.runs.values() if run.user_id == ada.id]
        run.status = "waiting"
        await agent.emit(run, Token(token="begun"))
        stream = source.aiter_sse()
        assert (await anext(stream)).event == "token"
        await ada.http.post("/api/auth/logout")
        assert await rest(stream) == []


async def test_a_new_password_ends_the_other_sessions_streams(ada, nobody, agent) -> None:
    run = agent.new_run(ada.id)
    await sign_in_again(ada, nobody)
    async with watching(agent, run, ada.http) as own, watching(agent, run, nobody) as other:
        await ada.http.post("/api/auth/password", json={"current": PASSWORD, "new": "another one"})
        assert await rest(other) == []
        await agent.end(run)
        assert await rest(own) == ["done"]


async def test_a_lost_signal_is_made_up_for(ada, agent, settings, postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """This gateway gets no message: the session is only missing from the database."""
    monkeypatch.setattr("gateway.live.sessions.CHECK_SECONDS", 0.05)
    run = agent.new_run(ada.id)
    async with (
        running(settings) as port,
        watching(agent, run, ada.http, f"http://127.0.0.1:{port}") as stream,
        opened(f"http://127.0.0.1:{port}", ada.cookie) as socket,
    ):
        await receive(socket)
        db = await asyncpg.connect(postgres.dsn("accounts"))
        await db.execute("DELETE FROM accounts.sessions WHERE user_id = $1", ada.id)
        await db.close()
        assert await rest(stream) == []
        assert await closed_with(socket) == 4401
