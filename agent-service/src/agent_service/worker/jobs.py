"""Jobs from the work queue, as many at a time as there is room for."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error
from pydantic import BaseModel

from contracts import subjects
from contracts.ids import Id
from contracts.streams import RUN_JOBS, RUN_WORKERS
from servicekit.background import in_background
from servicekit.streams import ensure_consumer

log = structlog.stdlib.get_logger()

PULL_SECONDS = 5
"""How long the server keeps a request for jobs."""
CAREFUL_PULL_SECONDS = 0.5
"""The same while the server may have just started: what it is asked before its streams are back, it forgets."""
CAREFUL_SECONDS = 10.0
NEXT = f"$JS.API.CONSUMER.MSG.NEXT.{RUN_JOBS.name}.{RUN_WORKERS.name}"


class Job(BaseModel):
    run_id: Id
    user_id: Id


async def publish_job(nc: Client, job: Job, reason: str) -> None:
    """Returns once the queue has it. The queue drops a second one for the same run and reason within ten seconds."""
    await nc.jetstream().publish(
        subjects.run_job(job.run_id),
        job.model_dump_json().encode(),
        headers={"Nats-Msg-Id": f"{job.run_id}.{reason}"},
    )


async def offer_job(nc: Client, job: Job, reason: str) -> None:
    """As `publish_job`, for a run that is stored as needing a worker: the sweeper offers it where this fails."""
    try:
        await publish_job(nc, job, reason)
    except Error as error:
        log.warning("run not offered", run_id=job.run_id, error=repr(error))


class Jobs:
    """`room`: how many more jobs may come now. `receive` takes one over and returns at once."""

    def __init__(self, nc: Client, room: Callable[[], int], receive: Callable[[Msg, Job], None]) -> None:
        self.nc = nc
        self._room = room
        self._receive = receive
        self._wake = asyncio.Event()
        self._due = 0
        self._careful_until = 0.0
        self._closed = False

    @asynccontextmanager
    async def pulling(self) -> AsyncGenerator["Jobs"]:
        await ensure_consumer(self.nc.jetstream(), RUN_WORKERS)
        self._inbox = self.nc.new_inbox()
        subscription = await self.nc.subscribe(self._inbox, cb=self._on_message)
        try:
            async with in_background(self._pull()):
                try:
                    yield self
                finally:
                    self._closed = True
        finally:
            if self.nc.is_connected:
                await subscription.unsubscribe()

    def room_changed(self) -> None:
        self._wake.set()

    def reconnected(self) -> None:
        """What was asked of the server before is lost."""
        self._careful_until = asyncio.get_running_loop().time() + CAREFUL_SECONDS
        self._ask_again()

    def _ask_again(self) -> None:
        self._due = 0
        self._wake.set()

    async def _pull(self) -> None:
        """One request at a time; the next when it is used up, has run out, or was lost."""
        while True:
            careful = asyncio.get_running_loop().time() < self._careful_until
            seconds = CAREFUL_PULL_SECONDS if careful else PULL_SECONDS
            batch = self._room()
            self._wake.clear()
            if batch > 0 and self.nc.is_connected:
                self._due = batch
                await self._ask(batch, seconds)
            await self._news(seconds)
            while self._due > 0:  # room was made while jobs may still come
                await self._news(seconds)

    async def _ask(self, batch: int, seconds: float) -> None:
        request = {"batch": batch, "expires": round(seconds * 10**9)}
        try:
            await self.nc.publish(NEXT, orjson.dumps(request), reply=self._inbox)
        except Error as error:
            log.warning("cannot ask for jobs", error=repr(error))

    async def _news(self, seconds: float) -> None:
        """Until something has changed, or the server must have answered by now."""
        try:
            async with asyncio.timeout(seconds * 1.2):
                await self._wake.wait()
        except TimeoutError:
            self._due = 0
        self._wake.clear()

    async def _on_message(self, msg: Msg) -> None:
        status = (msg.headers or {}).get("Status")
        if status == "503":  # nobody keeps the queue, yet
            asyncio.get_running_loop().call_later(CAREFUL_PULL_SECONDS, self._ask_again)
        elif status is not None:  # the request has run out, or the consumer is gone
            self._ask_again()
        elif self._closed:
            await msg.nak()
        else:
            self._due -= 1
            if self._due <= 0:
                self._wake.set()
            self._receive(msg, Job.model_validate_json(msg.data))
