"""What each process of the application uses: CPU time and memory, by the name in its pid file."""

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

MIB = 1024 * 1024
SUPERVISOR = "supervisor"


@dataclass(frozen=True)
class Processes:
    """The command that was started and everything below it."""

    root: int
    data_dir: Path

    def cpu_seconds(self) -> Mapping[str, float]:
        """User and system time since the start; what ended children of a process used counts as its own."""
        used: defaultdict[str, float] = defaultdict(float)
        for name, process in self._named():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                used[name] += times.user + times.system + times.children_user + times.children_system
        return used

    def memory_mib(self) -> Mapping[str, float]:
        """Proportional set size: a page that several processes share is counted once in the sum."""
        used: defaultdict[str, float] = defaultdict(float)
        for name, process in self._named():
            with suppress(psutil.NoSuchProcess):
                used[name] += process.memory_full_info().pss / MIB
        return used

    def _named(self) -> list[tuple[str, psutil.Process]]:
        names = {int(path.read_text()): path.stem for path in (self.data_dir / "pids").glob("*.pid")}
        root = psutil.Process(self.root)
        found: list[tuple[str, psutil.Process]] = []
        todo = [(SUPERVISOR, root)]
        while todo:
            inherited, process = todo.pop()
            name = names.get(process.pid, inherited)
            found.append((name, process))
            with suppress(psutil.NoSuchProcess):
                todo += [(name, child) for child in process.children()]
        return found
