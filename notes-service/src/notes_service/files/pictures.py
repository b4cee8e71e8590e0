"""Pictures are read by processes that are started for one picture each: `picture_process` says why."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import structlog

from contracts.errors import ServiceUnavailable
from notes_service.files import picture_process
from servicekit.fair_share import FairShare

log = structlog.stdlib.get_logger()

PROCESSES, PROCESSES_OF_USER = 2, 1
WAITING_OF_USER = 64
WALL_SECONDS = 100.0
"""Far more than its CPU time: only a machine that is out of its depth takes longer."""


@dataclass(frozen=True)
class Picture:
    """Pixels as it is to be seen. `copy`: a smaller one as WebP, where one was wanted."""

    media_type: str
    width: int
    height: int
    copy: bytes


class PictureReader:
    def __init__(self) -> None:
        self._share = FairShare(PROCESSES, PROCESSES_OF_USER, waiting_per_user=WAITING_OF_USER)

    async def read(self, user_id: str, data: bytes, limit: int = 0) -> Picture | None:
        """`limit`: of the pixels of the copy's longer side; 0 for no copy. None if it is no picture that we can read
        within the bounds of memory, time and pixels. Raises `ServiceUnavailable` if the machine is too busy, and
        `RateLimited`."""
        async with self._share.place(user_id), _process(limit) as process:
            try:
                async with asyncio.timeout(WALL_SECONDS):
                    out, said = await process.communicate(data)
            except TimeoutError as error:
                raise ServiceUnavailable("Pictures cannot be read at the moment: try again later.") from error
        if process.returncode != 0:
            log.info("a picture was refused", status=process.returncode, reason=said.decode(errors="replace")[:80])
            return None
        about, _, copy = out.partition(b"\n")
        return Picture(copy=copy, **orjson.loads(about))


@asynccontextmanager
async def _process(limit: int) -> AsyncGenerator[Process]:
    """Killed at the end of the block, if it is not done."""
    script = Path(picture_process.__file__)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(script), str(limit), stdin=PIPE, stdout=PIPE, stderr=PIPE, env={}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
