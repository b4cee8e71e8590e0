"""What the process says of itself and of what it depends on; and slow clients, which must cost nothing."""

import asyncio
from contextlib import closing

import httpx
import pytest

from contracts.run_events import Token
from gateway.container import open_container
from gateway.health import probe
from gateway.main import running
from gateway.metrics import Metrics
from standalone.testing import SLOW_SECONDS


async def test_it_lives_and_is_ready(nobody, notes_service) -> None:
    assert (await nobody.get("/healthz")).json() == {"status": "ok"}
    answer = await nobody.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": {"background": "ok", "nats": "ok", "postgres": "ok", "notes-service": "ok", "agent-service": "ok"},
    }


async def test_its_figures_are_there(ada, nobody) -> None:
    await ada.http.get("/api/auth/me")
    text = (await nobody.get("/metrics")).text
    assert 'inkstream_http_requests_total{method="GET",route="/api/auth/me",status="200"}' in text
    assert "process_resident_memory_bytes" in text
    assert ada.id not in text


async def test_it_touches_its_health_file(settings, agent, tmp_path) -> None:
    file = tmp_path / "health" / "gateway"
    async with (
        running(settings.model_copy(update={"health_file": file})) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http,
        asyncio.timeout(SLOW_SECONDS),
    ):
        while not file.exists():
            await http.get("/healthz")


async def test_a_database_that_is_gone_is_said_to_be(settings, agent) -> None:
    async with open_container(settings, Metrics()) as gateway:
        await probe(gateway)
        await gateway.database._pool.close()
        with pytest.raises(Exception, match="not answering"):
            await probe(gateway)


async def test_a_client_that_takes_nothing_is_cut_off(ada, agent, gateway: str) -> None:
    """It reads no byte while the run says 40 MB; the gateway disconnects it and keeps none of it."""
    reader, writer = await asyncio.open_connection(*gateway.removeprefix("http://").split(":"), limit=1024)
    with closing(writer):
        body = b'{"message": "hello"}'
        writer.write(
            f"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nCookie: inkstream_session={ada.cookie}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        )
        writer.write(body)
        await reader.readuntil(b"\r\n\r\n")  # from here on events are sent as they are received: no log is read first
        (run,) = [run for run in agent.runs.values() if run.user_id == ada.id]
        await agent.emit(run, Token(token="first"))
        for _ in range(200):
            await agent.emit(run, Token(token="x" * 200_000))
        await agent.end(run)
        received = 0
        with pytest.raises(ConnectionResetError):
            while chunk := await asyncio.wait_for(reader.read(1 << 20), SLOW_SECONDS):
                received += len(chunk)
            raise ConnectionResetError  # an end without the end of the response is as good
        assert received < 20_000_000
        async with ada.http.stream("GET", f"/api/runs/{run.id}/events?after=150") as stream:
            text = "".join([line async for line in stream.aiter_lines() if line.startswith("id")])
        assert text == "".join(f"id: 1.{n}" for n in range(151, 203))


async def test_a_slow_client_gets_everything(ada, agent, gateway: str) -> None:
    """A long history goes out at the client's speed."""
    run = agent.new_run(ada.id)
    for _ in range(60):
        await agent.emit(run, Token(token="x" * 100_000))
    await agent.end(run)
    seen = []
    async with ada.http.stream("GET", f"/api/runs/{run.id}/events") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("id"):
                seen.append(line.removeprefix("id: 1."))
                await asyncio.sleep(0.005)
    assert seen == [str(number) for number in range(1, 62)]


async def test_a_silent_stream_has_a_heartbeat(settings, ada, agent) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.live.sse.HEARTBEAT_SECONDS", 0.2)
        async with running(settings) as port, httpx.AsyncClient(cookies=ada.http.cookies) as http:
            run = agent.new_run(ada.id)
            run.status = "waiting"
            async with http.stream("GET", f"http://127.0.0.1:{port}/api/runs/{run.id}/events") as stream:
                chunks = stream.aiter_raw()
                assert [await asyncio.wait_for(anext(chunks), SLOW_SECONDS) for _ in range(3)] == [
                    b"retry: 1000\n",
                    b":\n",
                    b":\n",
                ]
