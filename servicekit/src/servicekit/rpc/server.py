"""The server side: endpoints in a queue group, discoverable and measurable through the NATS micro protocol (ADR-32).

`nats.micro.Service` runs the calls of an endpoint one after another, replies `repr(error)` to unknown errors and drops
its subscriptions on stop; this runs them as bounded tasks, answers unknown errors generically, and drains.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import orjson
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError, ConnectionDrainingError, OutboundBufferLimitError
from nats.micro.service import EndpointStats
from pydantic import ValidationError

from contracts.errors import DomainError, Internal, ServiceUnavailable, ValidationFailed
from contracts.operation import Operation, RequestT, ResponseT
from servicekit import tracing
from servicekit.error_logging import describe
from servicekit.rpc.discovery import Discovery
from servicekit.rpc.headers import write_error

log = structlog.stdlib.get_logger()

Handler = Callable[[Any], Awaitable[Any]]

MAX_CONCURRENT = 1024
"""Calls that one replica has at a time; more wait. Most of these wait, too: for a turn of their user (`fair_share`)."""
MAX_WAITING = 64
"""Calls that may wait; more are answered `service_unavailable` at once."""
DRAIN_SECONDS = 10.0


def _unwrapped(handler: Handler) -> Handler:
    return handler


class Handlers:
    """Maps operations to functions; `wrap` is applied to each function."""

    def __init__(self, wrap: Callable[[Handler], Handler] = _unwrapped) -> None:
        self.all: list[tuple[Operation[Any, Any], Handler]] = []
        self._wrap = wrap

    def add(
        self, operation: Operation[RequestT, ResponseT], handler: Callable[[RequestT], Awaitable[ResponseT]]
    ) -> None:
        self.all.append((operation, self._wrap(handler)))

    def add_unwrapped(
        self, operation: Operation[RequestT, ResponseT], handler: Callable[[RequestT], Awaitable[ResponseT]]
    ) -> None:
        self.all.append((operation, handler))


@asynccontextmanager
async def serve(
    nc: Client, name: str, version: str, handlers: Handlers, *, queue_group: str, max_concurrent: int = MAX_CONCURRENT
) -> AsyncGenerator[None]:
    """Serves until the block ends; then accepts no new call and waits for those in progress, at most 10 s."""
    server = _Server(nc, max_concurrent)
    endpoints = [_Endpoint(server, operation, handler, queue_group) for operation, handler in handlers.all]
    discovery = Discovery(nc, name, version, [endpoint.stats for endpoint in endpoints])
    subscriptions = [
        await nc.subscribe(endpoint.operation.subject, queue=queue_group, cb=endpoint.receive) for endpoint in endpoints
    ]
    subscriptions += await discovery.start()
    await nc.flush()
    try:
        yield
    finally:
        if nc.is_connected:
            await asyncio.gather(*(subscription.drain() for subscription in subscriptions))
        await server.settle(DRAIN_SECONDS)
        if nc.is_connected:
            await nc.flush()


class _Server:
    """Bounds the calls of all endpoints of one replica together and owns their tasks."""

    def __init__(self, nc: Client, max_concurrent: int) -> None:
        self.nc = nc
        self.slots = asyncio.Semaphore(max_concurrent)
        self.tasks: set[asyncio.Task[None]] = set()
        self.limit = max_concurrent + MAX_WAITING

    def spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    @property
    def full(self) -> bool:
        return len(self.tasks) >= self.limit

    async def settle(self, seconds: float) -> None:
        if self.tasks:
            _, late = await asyncio.wait(self.tasks, timeout=seconds)
            for task in late:
                task.cancel()


class _Endpoint:
    def __init__(
        self,
        server: _Server,
        operation: Operation[Any, Any],
        handler: Callable[[Any], Awaitable[Any]],
        queue_group: str,
    ) -> None:
        self.server = server
        self.operation = operation
        self.handler = handler
        self.stats = EndpointStats(
            name=operation.name,
            subject=operation.subject,
            queue_group=queue_group,
            num_requests=0,
            num_errors=0,
            processing_time=0,
            average_processing_time=0,
        )

    async def receive(self, msg: Msg) -> None:
        """Called by nats-py, one message at a time: hands the work to a task and returns."""
        if self.server.full:
            await self._reply_error(msg, ServiceUnavailable())
        else:
            self.server.spawn(self._answer(msg))

    async def _answer(self, msg: Msg) -> None:
        started = time.perf_counter_ns()
        async with self.server.slots:
            with tracing.extracted(msg.headers):
                try:
                    await self._reply(msg, await self._handle(msg.data))
                except DomainError as error:
                    await self._reply_error(msg, error)
                except Exception:
                    log.exception("request failed", subject=msg.subject)
                    await self._reply_error(msg, Internal())
        self._count(time.perf_counter_ns() - started)

    async def _handle(self, data: bytes) -> bytes:
        try:
            request = self.operation.request.model_validate_json(data)
        except ValidationError as error:
            raise ValidationFailed(errors=readable(error)) from error
        answer = await self.handler(request)
        return answer.model_dump_json().encode()

    async def _reply_error(self, msg: Msg, error: DomainError) -> None:
        self.stats.num_errors += 1
        self.stats.last_error = f"{error.code}: {error.message}"
        headers, body = write_error(error)
        await self._reply(msg, body, headers)

    async def _reply(self, msg: Msg, body: bytes, headers: dict[str, str] | None = None) -> None:
        """Raises `MaxPayloadError` for a response that is too large for the broker."""
        try:
            await self.server.nc.publish(msg.reply, body, headers=headers)
        except (ConnectionClosedError, ConnectionDrainingError, OutboundBufferLimitError) as error:
            log.warning("cannot answer", subject=msg.subject, error=describe(error))  # the caller gets a timeout

    def _count(self, nanoseconds: int) -> None:
        self.stats.num_requests += 1
        self.stats.processing_time += nanoseconds
        self.stats.average_processing_time = self.stats.processing_time // self.stats.num_requests


def readable(error: ValidationError) -> list[dict[str, str]]:
    """A validation error as a list of `{field, message}`, without the values, which may be large or secret."""
    details: list[dict[str, Any]] = orjson.loads(
        error.json(include_url=False, include_input=False, include_context=False)
    )
    return [
        {"field": ".".join(map(str, detail["loc"])), "message": detail["msg"].removeprefix("Value error, ")}
        for detail in details
    ]
