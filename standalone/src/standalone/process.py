"""Supervises one program: starts it, watches it, and starts it again with backoff when it dies."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from standalone import logs
from standalone.leash import leash
from standalone.logs import open_log

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
SETTLED_SECONDS = 5.0
"""A program that ran this long was healthy: the backoff begins again."""


@dataclass(frozen=True)
class Program:
    """`ready` returns whether it works; it may wait, and may raise `OSError` for "not yet".

    `health_file` is removed before each start, because it belongs to the previous process.
    `end` is the signal to stop within `grace` seconds; `orphaned` is the one it gets when this process was killed.
    """

    name: str
    command: list[str]
    environment: dict[str, str]
    ready: Callable[[], Awaitable[bool]]
    health_file: Path | None = None
    end: signal.Signals = signal.SIGTERM
    orphaned: signal.Signals = signal.SIGKILL
    grace: float = 5.0


@dataclass
class Process:
    """`say` is called with messages for the user. `deaths` counts unexpected ends."""

    program: Program
    pid_file: Path
    log_file: Path
    say: Callable[[str], None]
    deaths: int = 0
    _child: asyncio.subprocess.Process | None = None
    _keeper: asyncio.Task[None] | None = None
    _restart: asyncio.Event = field(default_factory=asyncio.Event)
    _launching: asyncio.Lock = field(default_factory=asyncio.Lock)

    def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep_running(), name=f"keep {self.program.name}")

    @property
    def pid(self) -> int | None:
        """The pid, or None while it is not running."""
        child = self._child
        return None if child is None or child.returncode is not None or _is_dead(child.pid) else child.pid

    async def is_ready(self) -> bool:
        pid = self.pid
        if pid is None:
            return False
        try:
            ready = await self.program.ready()
        except OSError:
            return False
        return ready and pid == self.pid

    async def stop(self) -> None:
        """Ends it for good: with the stop signal, and after the grace period by killing it."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        await self._end()
        self.pid_file.unlink(missing_ok=True)

    async def restart(self) -> None:
        """Ends it and starts it again at once, without counting a death. If it is not running, it is started at once,
        without waiting for its backoff."""
        async with self._launching:  # otherwise it could be ended between its start and the storing of its pid
            self._restart.set()
        await self._end()

    async def _end(self) -> None:
        child = self._child
        if child is not None and child.returncode is None:
            with suppress(ProcessLookupError):
                child.send_signal(self.program.end)
            try:
                await asyncio.wait_for(child.wait(), self.program.grace)
            except TimeoutError:
                self.say(f"{self.program.name} did not stop within {self.program.grace:.0f} s and was killed")
                self.kill()
                await child.wait()

    def kill(self) -> None:
        """Kills it with all its child processes."""
        child = self._child
        if child is not None and child.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)

    async def _keep_running(self) -> None:
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            async with self._launching:
                self._restart.clear()
                child = await self._launch()
            code = await child.wait()
            self.pid_file.unlink(missing_ok=True)
            if self._restart.is_set():
                pause = FIRST_PAUSE
                continue
            self.deaths += 1
            if time.monotonic() - began > SETTLED_SECONDS:
                pause = FIRST_PAUSE
            reason = _reason(code, logs.tail(self.log_file, lines=1))
            self.say(f"{self.program.name} ended ({reason}) and is started again; its log: {self.log_file}")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._restart.wait(), pause)
            pause = FIRST_PAUSE if self._restart.is_set() else min(pause * 2, LONGEST_PAUSE)

    async def _launch(self) -> asyncio.subprocess.Process:
        if self.program.health_file is not None:
            self.program.health_file.unlink(missing_ok=True)
        with open_log(self.log_file) as log:
            self._child = await asyncio.create_subprocess_exec(
                *self.program.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.program.environment,
                start_new_session=True,  # Ctrl-C is handled by the supervisor
                preexec_fn=leash(self.program.orphaned),
            )
        self.pid_file.write_text(f"{self._child.pid}\n")
        return self._child


def _is_dead(pid: int) -> bool:
    """Whether the process has ended, although its end has not been reported yet."""
    if sys.platform != "linux":
        return False
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _reason(code: int, last_line: str) -> str:
    """Describes an exit. `last_line` of its log: the reason that a program gives before it exits by itself."""
    if code >= 0:
        return f"exit code {code}: {last_line.strip() or 'no reason given'}"
    return f"killed by {signal.Signals(-code).name}"
