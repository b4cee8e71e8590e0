"""Inkstream as a person starts it: `make run`, on a free port, in a folder of its own, with the local model server."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.processes import Processes
from standalone.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60.0
STOP_SECONDS = 20.0
SIGN_UPS_AT_ONCE = 4


@dataclass(frozen=True)
class Application:
    """A running Inkstream. `seconds_to_page`: from the command to the whole first page."""

    url: str
    processes: Processes
    seconds_to_page: float

    async def sign_up(self, count: int) -> list[str]:
        """New users; the cookie of each."""
        turn = asyncio.Semaphore(SIGN_UPS_AT_ONCE)

        async def one(number: int) -> str:
            body = {"username": f"bench_{number}_{time.monotonic_ns() % 10**9}", "password": "a long enough password"}
            async with turn, httpx.AsyncClient(base_url=self.url, timeout=30) as client:
                response = await client.post("/api/auth/register", json=body)
                response.raise_for_status()
                return f"inkstream_session={response.cookies['inkstream_session']}"

        return list(await asyncio.gather(*(one(number) for number in range(count))))


@asynccontextmanager
async def application(data_dir: Path, model_url: str) -> AsyncGenerator[Application]:
    port = free_port()
    wanted = {"PORT": str(port), "DATA_DIR": str(data_dir), "OPENAI_BASE_URL": model_url, "INKSTREAM_MODEL": "local"}
    began = time.monotonic()
    command = await asyncio.create_subprocess_exec(
        "make", "--no-print-directory", "run",
        cwd=ROOT, env=os.environ | wanted, stdout=asyncio.subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        await _first_page(url, command)
        yield Application(url, Processes(command.pid, data_dir), time.monotonic() - began)
    finally:
        if command.returncode is None:
            os.killpg(command.pid, signal.SIGINT)
            await asyncio.wait_for(command.wait(), STOP_SECONDS)


async def _first_page(url: str, command: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_SECONDS), httpx.AsyncClient(base_url=url) as client:
        while command.returncode is None:
            try:
                page, ready = await client.get("/"), await client.get("/readyz")
                if page.is_success and ready.is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)
    raise RuntimeError("`make run` ended before its page was there")
