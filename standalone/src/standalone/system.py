"""The whole system as processes on this machine: started in order, supervised, stopped in reverse."""

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
"""If one program dies this often during the start, the start fails."""


def _silent(_: str) -> None:
    return None


@dataclass
class System:
    """A running system. `urls` are the gateways' addresses; `postgres` and `nats` give access to those two."""

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
        """The pids by name, as in `DATA_DIR/pids`, without processes that are not running at the moment."""
        return {process.program.name: pid for process in self._processes if (pid := process.pid) is not None}

    async def wait_ready(self, timeout: float = START_SECONDS, *, replacing: Mapping[str, int] | None = None) -> None:
        """Returns once everything is ready. After a kill, pass `replacing={name: old pid}` to wait for the successor.
        Raises `CannotStart` after `timeout` seconds or if a program keeps dying."""
        old = replacing or {}
        waiting = list(self._processes)
        deaths = {process.program.name: process.deaths for process in waiting}
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            # in order, one at a time: the later ones depend on the earlier ones
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
        """Restarts all replicas of these services concurrently. Returns when the old processes have ended."""
        names = tuple(services)
        processes = [p for p in self._processes if re.sub(r"-\d+$", "", p.program.name) in names]
        await asyncio.gather(*(process.restart() for process in processes))

    def kill(self) -> None:
        """Kills every process at once, without waiting."""
        for process in self._processes:
            process.kill()

    def start(self, programs: Iterable[Program]) -> None:
        """Starts them concurrently: the services retry until PostgreSQL and NATS can be reached."""
        for program in programs:
            name = program.name
            process = Process(program, self.folder.pid_file(name), self.folder.log_file(name), self.say)
            self._processes.append(process)
            process.start()

    async def stop(self) -> None:
        """Stops the page and the gateway first, then the other services, then NATS and PostgreSQL."""
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
    """The system, ready, until the end of the block. `port` 0: free ports. `environment` overrides this process's own;
    an empty value removes a variable. `entered` is called with the system before it is ready. `development`: Vite
    serves the page at `host` and `port`, and forwards other requests to the one gateway, which has its own port.

    Raises `CannotStart` if a port is taken, the folder is in use, or a program does not become ready.
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
    """An address that a browser can open, instead of the wildcard that a server may listen on."""
    return {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, host)  # noqa: S104
