"""Child processes of the bench: they end with the block that started them, and with the bench if that is killed."""

import asyncio
import ctypes
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.harness.processes import Processes

ROOT = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1
START_SECONDS = 60.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Child:
    """`first_line` of its output, if that was waited for."""

    process: asyncio.subprocess.Process
    first_line: str = ""

    @property
    def processes(self) -> Processes:
        return Processes(self.process.pid)


@asynccontextmanager
async def child(
    *command: str | Path,
    environment: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    speaks: bool = False,
    log: Path | None = None,
    end: signal.Signals = signal.SIGTERM,
) -> AsyncGenerator[Child]:
    """Runs the command while the block runs, in a process group of its own. `speaks`: waits for the first line that it
    prints. Its other output goes to `log`, or is discarded, except the errors of a program that speaks. An empty value
    in `environment` removes the variable."""
    changed = os.environ | dict(environment or {})
    output = log.open("ab") if log else None
    try:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            cwd=folder,
            env={name: value for name, value in changed.items() if value},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE if speaks else output or asyncio.subprocess.DEVNULL,
            stderr=output or (None if speaks else asyncio.subprocess.DEVNULL),
            start_new_session=True,
            preexec_fn=_ends_with_parent(end),
        )
    finally:
        if output:
            output.close()
    try:
        yield Child(process, await _first_line(process) if speaks else "")
    finally:
        await _stop(process, end)


def module(name: str, *arguments: object) -> tuple[str, ...]:
    """The command of a Python module of this checkout."""
    return (sys.executable, "-m", name, *map(str, arguments))


async def until_listening(port: int, process: Child, seconds: float = START_SECONDS) -> None:
    """Waits until the port is open. Raises `RuntimeError` if the process ends first."""
    async with asyncio.timeout(seconds):
        while process.process.returncode is None:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return
            await asyncio.sleep(POLL_SECONDS)
    raise RuntimeError(f"process {process.process.pid} ended with {process.process.returncode} and never listened")


async def _first_line(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError:
        await _stop(process, signal.SIGKILL)
        raise
    if not line:
        raise RuntimeError(f"a program of the bench ended with {await process.wait()} before it was ready")
    return line.decode().strip()


async def _stop(process: asyncio.subprocess.Process, end: signal.Signals) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, end)
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _ends_with_parent(end: signal.Signals) -> Callable[[], None] | None:
    """The `preexec_fn` for a child: the kernel sends it `end` when the bench dies."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # loaded before the fork: imports after it are not safe
    return lambda: prctl(PR_SET_PDEATHSIG, int(end))
