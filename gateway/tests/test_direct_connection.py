"""Responses and WebSockets that are written to their connection directly."""

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from contracts.run_events import RunBegan, Token
from gateway.live.user_message import UserMessage, text_frame
from gateway.main import running
from gateway.settings import Settings
from standalone.testing import SLOW_SECONDS, until

from .conftest import Person
from .raw import head, raw_connection
from .scripted_agent import ScriptedAgent, ScriptedRun


def began(run: ScriptedRun) -> RunBegan:
    return RunBegan(run_id=run.id, conversation_id=run.conversation_id, model="m", mode="demo")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 200_000])
def test_a_frame_is_understood(size: int) -> None:
    data = b"x" * size
    client = ClientProtocol(parse_uri("ws://localhost/"), state=State.OPEN, max_size=None)
    client.receive_data(text_frame(data) + text_frame(b"next"))
    frames = client.events_received()
    assert all(isinstance(frame, Frame) and frame.opcode is Opcode.TEXT and frame.fin for frame in frames)
    assert [bytes(frame.data) for frame in frames if isinstance(frame, Frame)] == [data, b"next"]


@given(st.integers(min_value=0, max_value=2**53), st.text())
def test_the_cursor_of_a_change_is_read_once(cursor: int, title: str) -> None:
    data = json.dumps({"cursor": cursor, "title": title}).encode()
    assert UserMessage("notes", data).cursor == cursor
    assert UserMessage("signal", data).cursor is None


async def test_a_connection_serves_the_next_request_after_a_stream(
    gateway: str, ada: Person, agent: ScriptedAgent
) -> None:
    """Also one that was sent while the stream was open: its response comes behind the stream's last chunk."""
    run = agent.new_run(ada.id)
    await agent.emit(run, began(run))
    cookie = f"inkstream_session={ada.cookie}"
    async with raw_connection(gateway) as connection:
        connection.send(head("GET", f"/api/runs/{run.id}/events", Cookie=cookie))
        await connection.reader.readuntil(b"event: run\n")
        connection.send(head("GET", "/healthz"))
        await agent.emit(run, Token(token="hello"))
        streamed = await connection.reader.readuntil(b'{"token":"hello"}\n\n')
        assert b"HTTP/1.1" not in streamed
        await agent.end(run)
        await connection.reader.readuntil(b"\r\n0\r\n\r\n")
        assert (await connection.response())[0] == 200
        connection.send(head("GET", "/healthz"))
        assert (await connection.response())[0] == 200


async def test_a_stream_is_counted_until_it_has_ended(settings: Settings, ada: Person, agent: ScriptedAgent) -> None:
    """Though the application has returned long before."""
    run = agent.new_run(ada.id)
    await agent.emit(run, began(run))
    request = head("GET", f"/api/runs/{run.id}/events", Cookie=f"inkstream_session={ada.cookie}")
    async with (
        running(settings.model_copy(update={"connections_per_address": 2})) as port,
        raw_connection(f"http://127.0.0.1:{port}") as leaving,
        raw_connection(f"http://127.0.0.1:{port}") as staying,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=SLOW_SECONDS) as http,
    ):
        for connection in (leaving, staying):
            connection.send(request)
            await connection.reader.readuntil(b"event: run\n")
        assert (await http.get("/healthz")).status_code == 429
        leaving.writer.transport.abort()

        async def is_free() -> bool:
            return (await http.get("/healthz")).status_code == 200

        await until("the place of a stream whose client has left", is_free)
        await agent.end(run)
        await staying.reader.readuntil(b"\r\n0\r\n\r\n")
        async with raw_connection(f"http://127.0.0.1:{port}") as another:
            another.send(head("GET", f"/api/runs/{run.id}/events", Cookie=f"inkstream_session={ada.cookie}"))
            assert b"event: done" in await another.reader.readuntil(b"\r\n0\r\n\r\n")
            assert await is_free()
