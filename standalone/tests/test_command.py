"""`python -m standalone`, as `make run` starts it, with every service."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import psutil
import pytest
from websockets import Origin
from websockets.asyncio.client import connect

from standalone import readiness
from standalone.paths import VITE
from standalone.testing import SLOW_SECONDS

DEMO = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": "", "INKSTREAM_MODEL": "", "PORT": "0"}


@asynccontextmanager
async def command(data_dir: Path, *arguments: str, **environment: str) -> AsyncGenerator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "standalone", *arguments),
        env=os.environ | DEMO | {"DATA_DIR": str(data_dir)} | environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def read_until(process: asyncio.subprocess.Process, text: str) -> str:
    """The process's output up to and including the first line with `text`."""
    assert process.stdout is not None
    output = ""
    async with asyncio.timeout(SLOW_SECONDS):
        while text not in output:
            line = (await process.stdout.readline()).decode()
            assert line, f"it ended after printing only:\n{output}"
            output += line
    return output


def processes(data_dir: Path) -> dict[str, psutil.Process]:
    files = (data_dir / "pids").glob("*.pid")
    return {file.stem: psutil.Process(int(file.read_text())) for file in files}


async def test_it_prints_its_address_and_stops_on_ctrl_c(tmp_path: Path) -> None:
    async with command(tmp_path, AGENTS="2", NOTES="2", GATEWAYS="2") as process:
        output = await read_until(process, "Ctrl-C stops it")
        assert "demo model answers" in output
        urls = [word for word in output.split() if word.startswith("http://")]
        assert len(urls) == 2
        async with httpx.AsyncClient() as client:
            for url in urls:
                assert (await client.get(f"{url}/readyz")).status_code == 200
        running = processes(tmp_path)
        services = {"gateway", "notes-service", "agent-service"}
        assert running.keys() == services | {f"{name}-2" for name in services} | {"postgres", "nats"}
        process.send_signal(signal.SIGINT)
        await read_until(process, "Inkstream has stopped")
        assert await asyncio.wait_for(process.wait(), SLOW_SECONDS) == 0
        assert not [name for name, one in running.items() if one.is_running()]
        assert not processes(tmp_path)


async def test_killed_processes_are_restarted(tmp_path: Path) -> None:
    async with command(tmp_path) as process:
        output = await read_until(process, "Ctrl-C stops it")
        port = int(output.partition("http://127.0.0.1:")[2].split()[0])
        for name, one in processes(tmp_path).items():
            one.kill()
            await read_until(process, f"{name} ended (killed by SIGKILL)")
            await asyncio.wait_for(is_back(tmp_path, name, port), SLOW_SECONDS)
        process.terminate()
        await read_until(process, "Inkstream has stopped")


async def is_back(data_dir: Path, name: str, port: int) -> None:
    while True:
        with suppress(OSError):
            status, _ = await readiness.get("127.0.0.1", port, "/readyz")
            if name in processes(data_dir) and status == 200:
                return
        await asyncio.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start clears up")
async def test_nothing_outlives_a_killed_supervisor(tmp_path: Path) -> None:
    async with command(tmp_path) as process:
        await read_until(process, "Ctrl-C stops it")
        running = processes(tmp_path)
        process.kill()
        _, alive = await asyncio.to_thread(psutil.wait_procs, running.values(), SLOW_SECONDS)
        assert not alive
    async with command(tmp_path) as process:  # the files it left do not prevent a start
        await read_until(process, "Ctrl-C stops it")


async def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    async with command(tmp_path) as process:
        await read_until(process, "Ctrl-C stops it")
        running = processes(tmp_path)
        running["agent-service"].suspend()  # it will not react to the request to stop
        process.send_signal(signal.SIGINT)
        await read_until(process, "once more to kill")
        process.send_signal(signal.SIGINT)
        await read_until(process, "Inkstream has stopped")
        assert not [name for name, one in running.items() if one.is_running()]


@pytest.mark.skipif(not VITE.exists(), reason="the page's packages are not installed")
async def test_development_serves_the_page_from_its_sources_in_front_of_the_services(tmp_path: Path) -> None:
    """Vite forwards the gateway's paths: with the cookie, as a stream, over a WebSocket, from its own origin."""
    async with command(tmp_path, "--dev") as process:
        output = await read_until(process, "Ctrl-C stops it")
        url = next(word for word in output.split() if word.startswith("http://"))
        async with httpx.AsyncClient(base_url=url, headers={"Origin": url}, timeout=SLOW_SECONDS) as client:
            assert "/@vite/client" in (await client.get("/notes")).text
            assert (await client.get("/readyz")).status_code == 200
            account = {"username": "developer", "password": "correct horse"}
            assert (await client.post("/api/auth/register", json=account)).status_code == 201
            foreign = await client.post("/api/notes", json={"title": "x"}, headers={"Origin": "https://evil.example"})
            assert foreign.status_code == 403
            cookie = f"inkstream_session={client.cookies['inkstream_session']}"
            socket_url = url.replace("http", "ws") + "/ws"
            async with connect(socket_url, origin=Origin(url), additional_headers={"Cookie": cookie}) as socket:
                assert json.loads(await socket.recv())["type"] == "hello"
                async with client.stream("POST", "/api/chat", json={"message": "Create a note titled Ink"}) as stream:
                    assert stream.headers["content-type"].startswith("text/event-stream")
                    events = [line async for line in stream.aiter_lines() if line.startswith("event:")]
                assert events[-1] == "event: done"
                while json.loads(await socket.recv())["type"] != "note_changed":
                    pass
        running = processes(tmp_path)
        assert {"page", "gateway"} <= running.keys()
        process.send_signal(signal.SIGINT)
        await read_until(process, "Inkstream has stopped")
        assert not [name for name, one in running.items() if one.is_running()]


@pytest.mark.parametrize(
    ("environment", "message"),
    [({"PORT": "eighty"}, "PORT must be a number"), ({"DATA_DIR": "/dev/null/data"}, "cannot be written")],
)
async def test_an_error_is_printed_in_one_line(tmp_path: Path, environment: dict[str, str], message: str) -> None:
    async with command(tmp_path, **environment) as process:
        output = await read_until(process, "Inkstream cannot start: ")
        assert message in output
        assert "Traceback" not in output
        assert await process.wait() == 1
