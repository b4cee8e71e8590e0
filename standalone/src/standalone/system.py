"""The whole system as processes on this machine: opened in order, watched, closed in reverse."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from standalone import logs
from standalone.data_folder import DataFolder
from standalone.errors import CannotStart
from standalone.nats import Nats
from standalone.ports import free_port, is_taken
from standalone.postgres import Postgres
from standalone.process import Process, Program
from standalone.programs import Programs

LOOPBACK = "127.0.0.1"
START_SECONDS = 120.0
POLL_SECONDS = 0.03
HOPELESS_DEATHS = 4
"""After so many of one program, while all are waited for, it is given up."""


def _silent(_: str) -> None:
    return None


@dataclass
class System:
    """A running system. `urls` are the gateways' addresses; `postgres` and `nats` know how to reach those two."""

    folder: DataFolder
    postgres: Postgres
    nats: Nats
    urls: list[str]
    say: Callable[[str], None] = _silent
    _processes: list[Process] = field(default_factory=list[Process])

    @property
    def url(self) -> str:
        return self.urls[0]

    def pids(self) -> dict[str, int]:
        """By name, as in `DATA_DIR/pids`; without those that are down at the moment."""
        return {process.program.name: pid for process in self._processes if (pid := process.pid) is not None}

    async def wait_ready(self, timeout: float = START_SECONDS, *, replacing: Mapping[str, int] | None = None) -> None:
        """Returns once everything does its work. After a kill say who was killed, `replacing={name: old pid}`:
        then it waits for the successor. Raises `CannotStart` after `timeout` seconds or when something keeps dying."""
        old = replacing or {}
        waiting = list(self._processes)
        deaths = {process.program.name: process.deaths for process in waiting}
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            # in their order, one at a time: the later ones need the earlier ones anyhow
            while waiting and waiting[0].pid != old.get(waiting[0].program.name) and await waiting[0].is_ready():
                del waiting[0]
            if not waiting:
                return
            for process in waiting:
                if process.deaths - deaths[process.program.name] >= HOPELESS_DEATHS:
                    raise CannotStart(f"{process.program.name} does not start.\n{_tail(process)}")
            if asyncio.get_running_loop().time() > deadline:
                names = ", ".join(process.program.name for process in waiting)
                tails = "\n".join(_tail(process) for process in waiting)
                raise CannotStart(f"not ready after {timeout:.0f} s: {names}\n{tails}")
            await asyncio.sleep(POLL_SECONDS)

    async def restart(self, services: Iterable[str]) -> None:
        """Every replica of these services, side by side. Returns when the old processes have ended."""
        names = tuple(services)
        processes = [p for p in self._processes if re.sub(r"-\d+$", "", p.program.name) in names]
        await asyncio.gather(*(process.restart() for process in processes))

    def kill(self) -> None:
        """Ends every process at once: for a person who does not want to wait."""
        for process in self._processes:
            process.kill()

    def start(self, programs: Iterable[Program]) -> None:
        """Side by side: a service tries until PostgreSQL and NATS are there."""
        for program in programs:
            name = program.name
            process = Process(program, self.folder.pid_file(name), self.folder.log_file(name), self.say)
            self._processes.append(process)
            process.start()

    async def stop(self) -> None:
        """What faces the browser first, then the other services, then what they stood on."""
        for tier in (("page", "gateway"), ("agent-service", "notes-service"), ("nats", "postgres")):
            await asyncio.gather(*(p.stop() for p in self._processes if p.program.name.startswith(tier)))


def _tail(process: Process) -> str:
    return f"--- the end of {process.log_file}:\n{logs.tail(process.log_file) or '(nothing)'}"


@asynccontextmanager
async def running(
    *,
    data_dir: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    agents: int = 1,
    notes: int = 1,
    gateways: int = 1,
    environment: Mapping[str, str] | None = None,
    say: Callable[[str], None] = _silent,
    entered: Callable[[System], None] | None = None,
    development: bool = False,
) -> AsyncGenerator[System]:
    """The system, ready, until the end of the block. `port` 0: free ones. `environment` goes over this process's own;
    an empty value takes a variable away. `entered` is given the system before it is ready. `development`: Vite serves
    the page at `host` and `port`, and passes on what is not the page's to the one gateway, which has a port of its own.

    Raises `CannotStart` when a port is taken, the folder is in use, or something does not come up.
    """
    folder = DataFolder(data_dir.resolve())
    inherited = {name: value for name, value in (os.environ | dict(environment or {})).items() if value}
    with folder.taken():
        ports = _ports(host, port, 1 if development else gateways)
        gateway_addresses = [(LOOPBACK, free_port())] if development else [(host, port) for port in ports]
        postgres, nats = Postgres(folder.path / "postgres", free_port()), Nats(folder.path / "nats", free_port())
        system = System(folder, postgres, nats, [f"http://{_reachable(host)}:{port}" for port in ports], say)
        if entered is not None:
            entered(system)
        rotation = asyncio.create_task(logs.keep_bounded(folder.path / "logs"), name="bound logs")
        try:
            await asyncio.to_thread(postgres.initialise)
            nats.initialise()
            programs = Programs(folder, postgres, nats, inherited)
            system.start(
                [
                    programs.database(),
                    programs.broker(),
                    *(programs.service("notes_service", n + 1) for n in range(notes)),
                    *(programs.service("agent_service", n + 1) for n in range(agents)),
                    *(programs.gateway(*address, n + 1) for n, address in enumerate(gateway_addresses)),
                ]
            )
            if development:
                system.start([programs.page(host, ports[0], "http://{}:{}".format(*gateway_addresses[0]))])
            await system.wait_ready()
            yield system
        finally:
            rotation.cancel()
            await system.stop()


def _ports(host: str, first: int, count: int) -> list[int]:
    if first == 0:
        return [free_port() for _ in range(count)]
    ports = list(range(first, first + count))
    for port in ports:
        try:
            taken = is_taken(host, port)
        except OSError as error:
            raise CannotStart(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
        if taken:
            raise CannotStart(
                f"port {port} is taken by another program.\n"
                f"Stop that one, or choose another: PORT={first + 1000} make run"
            )
    return ports


def _reachable(host: str) -> str:
    """An address a browser can open: not the wildcard a server may listen on."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
