"""The work queue of runs: each job tells one worker that has a free place that there is a run to claim.

Jobs carry no state. Which run is next, and that each is executed once, is decided by the claim (`repository.claims`);
a job that is lost is replaced by the workers' next look at the database.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress

import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error
from pydantic import BaseModel

from contracts import subjects
from contracts.ids import Id
from contracts.streams import RUN_JOBS, RUN_WORKERS
from servicekit.background import LoopHealth, attempt, in_background
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

PULL_SECONDS = 5
"""How long the server holds a pull request."""
PULL_AFTER_RECONNECT_SECONDS = 0.5
"""The same after a reconnect: a server that has just started drops requests that arrive before its streams are
loaded."""
AFTER_RECONNECT_SECONDS = 10.0
RETRY_SECONDS = 0.5
NEXT = f"$JS.API.CONSUMER.MSG.NEXT.{RUN_JOBS.name}.{RUN_WORKERS.name}"


class RunJob(BaseModel):
    run_id: Id
    user_id: Id


async def publish_job(nc: Client, job: RunJob, reason: str) -> None:
    """Returns when the queue has stored the job. It drops a second one for the same run and reason within 10 s."""
    await nc.jetstream().publish(
        subjects.run_job(job.run_id),
        job.model_dump_json().encode(),
        headers={"Nats-Msg-Id": f"{job.run_id}.{reason}"},
    )


async def try_publish_job(nc: Client, job: RunJob, reason: str) -> None:
    """As `publish_job`; if this fails, a worker finds the run a little later."""
    try:
        await publish_job(nc, job, reason)
    except Error as error:
        log.warning("job not published", run_id=job.run_id, error=describe(error))


class JobPuller:
    """Pulls jobs with one request at a time, for as many jobs as there are free places. The next request follows when
    all those jobs have arrived, when the request has expired, or when it was lost with the connection."""

    def __init__(
        self,
        nc: Client,
        loops: LoopHealth,
        free_places: Callable[[], int],
        receive: Callable[[], None],
    ) -> None:
        """`receive` is called for each job, and returns at once."""
        self._nc = nc
        self._loops = loops
        self._free_places = free_places
        self._receive = receive
        self._wake = asyncio.Event()
        self._outstanding = 0
        """Jobs that the current request may still deliver."""
        self._short_pulls_until = 0.0
        self._closed = False

    @asynccontextmanager
    async def pulling(self) -> AsyncGenerator["JobPuller"]:
        self._inbox = self._nc.new_inbox()
        subscription = await self._nc.subscribe(self._inbox, cb=self._on_message)
        try:
            async with in_background(self._pull_forever()):
                try:
                    yield self
                finally:
                    self._closed = True
        finally:
            if self._nc.is_connected:
                await subscription.unsubscribe()

    def places_changed(self) -> None:
        self._wake.set()

    def reconnected(self) -> None:
        """The current request was lost with the connection."""
        self._short_pulls_until = asyncio.get_running_loop().time() + AFTER_RECONNECT_SECONDS
        self._pull_again()

    def _pull_again(self) -> None:
        self._outstanding = 0
        self._wake.set()

    async def _pull_forever(self) -> None:
        while True:
            if not await attempt("pull jobs", self._pull, self._loops):
                await asyncio.sleep(RETRY_SECONDS)

    async def _pull(self) -> None:
        """One request, until it is used up, has expired or was lost."""
        has_reconnected = asyncio.get_running_loop().time() < self._short_pulls_until
        seconds = PULL_AFTER_RECONNECT_SECONDS if has_reconnected else PULL_SECONDS
        batch = self._free_places()
        self._wake.clear()
        if batch > 0 and self._nc.is_connected:
            self._outstanding = batch
            request = {"batch": batch, "expires": round(seconds * 10**9)}
            await self._nc.publish(NEXT, orjson.dumps(request), reply=self._inbox)
        await self._wait(seconds)
        while self._outstanding > 0:  # a place became free while jobs may still arrive
            await self._wait(seconds)

    async def _wait(self, seconds: float) -> None:
        """Until something has changed, or the server must have answered."""
        try:
            async with asyncio.timeout(seconds * 1.2):
                await self._wake.wait()
        except TimeoutError:
            self._outstanding = 0
        self._wake.clear()

    async def _on_message(self, msg: Msg) -> None:
        status = (msg.headers or {}).get("Status")
        if status == "503":  # the stream is not available yet
            asyncio.get_running_loop().call_later(PULL_AFTER_RECONNECT_SECONDS, self._pull_again)
        elif status is not None:  # the request has expired, or the consumer is gone
            self._pull_again()
        elif self._closed:
            await msg.nak()
        else:
            self._outstanding -= 1
            if self._outstanding <= 0:
                self._wake.set()
            with suppress(Error):
                await (msg.ack() if self._free_places() > 0 else msg.nak())  # another worker may have a place
            self._receive()
