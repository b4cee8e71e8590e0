"""Keeps the log files of programs that know nothing of rotation within bounds."""

import asyncio
import shutil
from pathlib import Path

MAX_BYTES = 5 * 1024**2
CHECK_SECONDS = 10.0


async def keep_bounded(folder: Path) -> None:
    """Runs until cancelled. A log past its bound becomes `<name>.log.1`, and goes on empty."""
    while True:
        for log in folder.glob("*.log"):
            if log.stat().st_size > MAX_BYTES:
                shutil.copyfile(log, log.with_name(f"{log.name}.1"))
                with log.open("r+b") as file:
                    file.truncate(0)  # its writer appends, so it goes on at the new end
        await asyncio.sleep(CHECK_SECONDS)


def tail(log: Path, lines: int = 15) -> str:
    """The last lines, for a person who wants to know what went wrong."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 16_384))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except FileNotFoundError:
        return ""
