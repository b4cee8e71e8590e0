"""pytest fixtures: a real PostgreSQL and a real NATS for the test session, in a folder of their own, on free ports."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pytest

from servicekit.bus import inbox_prefix
from servicekit.nats_client import Connection
from servicekit.provision import provision
from standalone.nats import Nats
from standalone.ports import free_port
from standalone.postgres import Postgres
from standalone.readiness import greets

SLOW_SECONDS = 120.0
"""How long a test waits for an expected event at most. Generous, because a busy machine is slow."""
LOOK_SECONDS = 0.02

T = TypeVar("T")


@contextmanager
def _process(command: list[str], log: Path, end: signal.Signals, env: dict[str, str]) -> Generator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | env)  # noqa: S603
        try:
            yield
        finally:
            process.send_signal(end)
            process.wait(SLOW_SECONDS)


async def until(what: str, look: Callable[[], Awaitable[T | None]], within: float = SLOW_SECONDS) -> T:
    """Polls `look` until it returns something true, and returns that: for states that no event announces. Fails after
    `within` seconds with a message that contains `what`."""
    try:
        async with asyncio.timeout(within):
            while not (found := await look()):  # noqa: ASYNC110  (there is no event to wait for)
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError as error:
        raise AssertionError(f"not within {within:.0f} s: {what}") from error
    return found


class LongestCallback:
    """What the event loop was kept from everything else for, at most: CPU seconds of one callback of its thread, which
    are the same however busy the machine is. Without garbage collection, whose time depends on what else there is."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.callback = ""

    def take(self, seconds: float, callback: object) -> None:
        if seconds > self.seconds:
            self.seconds, self.callback = seconds, repr(callback)[:500]


@contextmanager
def longest_callback() -> Generator[LongestCallback]:
    """Measures while the block runs. For asyncio's own event loop, as in tests."""
    longest = LongestCallback()
    run = asyncio.events.Handle._run  # pyright: ignore[reportPrivateUsage]

    def measured(self: asyncio.Handle) -> None:
        began = time.thread_time()
        run(self)
        longest.take(time.thread_time() - began, self)

    was_enabled = gc.isenabled()
    gc.disable()
    asyncio.events.Handle._run = measured  # pyright: ignore[reportPrivateUsage]
    try:
        yield longest
    finally:
        asyncio.events.Handle._run = run  # pyright: ignore[reportPrivateUsage]
        if was_enabled:
            gc.enable()


async def until_greets(server: Nats) -> None:
    async def look() -> bool:
        with suppress(OSError):
            return await greets(server.port)
        return False

    await until("NATS that answers", look)


async def until_provisioned(server: Nats) -> None:
    await until_greets(server)
    async with connection(server, "admin") as nc:
        await provision(nc)


@asynccontextmanager
async def running_postgres(directory: Path) -> AsyncGenerator[Postgres]:
    """A running PostgreSQL with the roles and schemas of all services, without a fixture."""
    server = Postgres(directory, free_port())
    server.initialise()
    with _process(server.command(), server.directory / "log", signal.SIGINT, {}):
        await until("PostgreSQL that answers", server.create_roles)
        yield server


@pytest.fixture(scope="session")
async def postgres(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Postgres]:
    """A running PostgreSQL with the roles and schemas of all services."""
    async with running_postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Nats]:
    """A running NATS with the streams and the users of all services."""
    server = Nats(tmp_path_factory.mktemp("nats"), free_port())
    server.initialise()
    with _process(server.command(), server.directory / "log", signal.SIGTERM, server.environment()):
        await until_provisioned(server)
        yield server


@pytest.fixture(scope="session")
async def s3(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[str]:
    """The URL of an empty bucket of a running S3 server, which the environment of this process has the keys for."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    bucket = urllib.request.Request(f"http://127.0.0.1:{port}/files", method="PUT")

    async def look() -> bool:
        with suppress(OSError):
            await asyncio.to_thread(lambda: urllib.request.urlopen(bucket).close())  # noqa: S310
            return True
        return False

    with (
        _process(command, tmp_path_factory.mktemp("s3") / "log", signal.SIGTERM, {}),
        pytest.MonkeyPatch.context() as environment,
    ):
        await until("an S3 server that answers", look)
        environment.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        environment.setenv("AWS_ACCESS_KEY_ID", "key")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        environment.setenv("AWS_REGION", "us-east-1")
        yield "s3://files/inkstream"


@asynccontextmanager
async def connection(server: Nats, service: str) -> AsyncGenerator[Connection]:
    """A plain connection with the rights of `service`, or of `admin`, who may do everything."""
    url = server.url(service)
    nc = Connection()
    await nc.connect(url, inbox_prefix=inbox_prefix(url), max_reconnect_attempts=1, error_cb=_ignore)
    try:
        yield nc
    finally:
        await nc.close()


async def _ignore(error: Exception) -> None:
    """Ignores permission errors, which some tests provoke; the client reports them to its caller as well."""
