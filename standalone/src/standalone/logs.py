"""Log files of programs that do not rotate them: bounded, and readable by their owner only."""

import asyncio
import os
import shutil
from pathlib import Path
from typing import BinaryIO

MAX_BYTES = 5 * 1024**2
CHECK_SECONDS = 10.0


def open_log(log: Path) -> BinaryIO:
    """Opens it for appending; creates it if it does not exist."""
    return os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600), "ab")


async def keep_bounded(folder: Path) -> None:
    """Runs until cancelled. A log that exceeds the bound is copied to `<name>.log.1` and truncated."""
    while True:
        for log in folder.glob("*.log"):
            if log.stat().st_size > MAX_BYTES:
                full = log.with_name(f"{log.name}.1")
                full.touch(mode=0o600)
                shutil.copyfile(log, full)
                with log.open("r+b") as file:
                    file.truncate(0)  # its writer opened it for appending, so it continues at the new end
        await asyncio.sleep(CHECK_SECONDS)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines, for an error message."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
