"""CPU time and memory of processes: of a process tree, or by the names in an application's pid files."""

import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

MIB = 1024 * 1024
SUPERVISOR = "supervisor"
PROCESS_CLOCK = 2
"""The clock type in the clock id of a process, as `clock_getcpuclockid` builds it: the time of all its threads."""


@dataclass(frozen=True)
class Processes:
    """A started command and its descendants. Without `pid_files` all of them have one name."""

    root: int
    pid_files: Path | None = None

    def cpu_seconds(self) -> Mapping[str, float]:
        """User and system time since the start; that of a process includes its ended children."""
        used: defaultdict[str, float] = defaultdict(float)
        for name, process in self._named():
            with suppress(psutil.NoSuchProcess):
                used[name] += _cpu_seconds(process)
        return used

    def memory_mib(self) -> Mapping[str, float]:
        """Proportional set size: a page that several processes share is counted once in the sum."""
        used: defaultdict[str, float] = defaultdict(float)
        for name, process in self._named():
            with suppress(psutil.NoSuchProcess):
                used[name] += process.memory_full_info().pss / MIB
        return used

    def _named(self) -> list[tuple[str, psutil.Process]]:
        names: dict[int, str] = {}
        if self.pid_files is not None:
            names = {int(path.read_text()): path.stem for path in self.pid_files.glob("*.pid")}
        root = psutil.Process(self.root)
        found = [(SUPERVISOR, root)]
        name_of = {root.pid: SUPERVISOR}
        for process in root.children(recursive=True):  # parents are listed before their children
            with suppress(psutil.NoSuchProcess):
                name = names.get(process.pid) or name_of.get(process.ppid(), SUPERVISOR)
                name_of[process.pid] = name
                found.append((name, process))
        return found


def _cpu_seconds(process: psutil.Process) -> float:
    """Linux has a clock per process with nanosecond resolution; `/proc` has a resolution of 10 ms, but only it includes
    the time of ended children."""
    times = process.cpu_times()
    try:
        own = time.clock_gettime(~process.pid << 3 | PROCESS_CLOCK)
    except (OSError, OverflowError):
        own = times.user + times.system
    return own + times.children_user + times.children_system


class CpuClock:
    """CPU seconds since its creation or the last `restart`, by name."""

    def __init__(self, *processes: Processes) -> None:
        self._processes = processes
        self.restart()

    def restart(self) -> None:
        self._before = self._now()

    def used(self) -> dict[str, float]:
        return {name: seconds - self._before.get(name, 0.0) for name, seconds in self._now().items()}

    def total(self) -> float:
        return sum(self.used().values())

    def _now(self) -> dict[str, float]:
        now: defaultdict[str, float] = defaultdict(float)
        for processes in self._processes:
            for name, seconds in processes.cpu_seconds().items():
                now[name] += seconds
        return now
