"""The data folder of one running system: its lock, the paths of its files, and the cleanup after an earlier run."""

import fcntl
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from standalone.errors import CannotStart

MARK = "DATA_DIR"
"""Every process is started with the folder's path in this variable. It distinguishes the process from another program
that has got the same pid later."""

PRIVATE = ("postgres", "nats", "files", "pids", "logs", "health")
"""Folders that only their owner may read: they contain users' data and passwords."""

LEFTOVER_SECONDS = 10.0


@dataclass(frozen=True)
class DataFolder:
    """`path` is absolute."""

    path: Path

    @contextmanager
    def taken(self) -> Generator[None]:
        """Locks the folder inside the block, after ending processes of an earlier run. Raises `CannotStart` if another
        system uses it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for name in PRIVATE:
                folder = self.path / name
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)  # may have been created by an earlier version
            for log in (self.path / "logs").iterdir():
                log.chmod(0o600)
            lock = (self.path / "lock").open("a+")
        except OSError as error:
            raise CannotStart(f"DATA_DIR {self.path} cannot be written: {error}") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                lock.seek(0)
                owner = lock.read().strip() or "unknown"
                raise CannotStart(
                    f"DATA_DIR {self.path} is in use by another Inkstream (process {owner}).\n"
                    "Stop that one, or give this one a folder of its own: DATA_DIR=another make run"
                ) from error
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            self._end_leftovers()
            yield

    def pid_file(self, name: str) -> Path:
        return self.path / "pids" / f"{name}.pid"

    def log_file(self, name: str) -> Path:
        return self.path / "logs" / f"{name}.log"

    def health_file(self, name: str) -> Path:
        return self.path / "health" / name

    def _end_leftovers(self) -> None:
        files = list((self.path / "pids").glob("*.pid"))
        if not files:
            return
        # imported here, so that the supervisor uses less memory: after a clean end there is no pid file
        import psutil  # noqa: PLC0415

        ours: list[psutil.Process] = []
        for file in files:
            try:
                process = psutil.Process(int(file.read_text()))
                if process.environ().get(MARK) == str(self.path):
                    process.send_signal(signal.SIGINT if file.stem == "postgres" else signal.SIGTERM)
                    ours.append(process)
            except (psutil.Error, ValueError):
                pass  # the process is gone or another user's, or the file is truncated
        _, alive = psutil.wait_procs(ours, LEFTOVER_SECONDS)
        for process in alive:
            process.kill()
        psutil.wait_procs(alive, LEFTOVER_SECONDS)
        for file in files:
            file.unlink(missing_ok=True)
