"""The connection to NATS: its options once, and what a service must know of its state."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError

from contracts.errors import Unreachable

log = structlog.stdlib.get_logger()

START_SECONDS = 10
"""How long a service waits at its start for the broker; afterwards it waits for ever."""


class Connection(Client):
    """nats-py 2.16 writes the PING of a `flush` ahead of what it still holds in its buffer: the server's PONG then says
    nothing about the subscriptions and messages before it. Here it does, also in `drain`, which is built on `flush`."""

    async def flush(self, timeout: int = 10) -> None:
        """Returns when the server has taken everything sent before. `FlushTimeoutError` after `timeout` seconds."""
        await self._flush_pending(force_flush=True)
        await super().flush(timeout)

    def give_up_requests(self) -> None:
        """The connection is lost, and with it the replies on their way: nobody need wait out their time-outs."""
        waiting: list[asyncio.Future[Msg]] = [*self._resp_map.values()]
        for reply in waiting:
            if not reply.done():
                reply.set_exception(ConnectionClosedError())


async def _nothing() -> None:
    return None


@asynccontextmanager
async def connected(
    url: str, name: str, *, on_reconnect: Callable[[], Awaitable[None]] = _nothing
) -> AsyncGenerator[Client]:
    """A connection that reconnects for ever, every 0.25 s; drained at the end of the block.

    `url` is `nats://user:password@host:port`. Raises `Unreachable` when there is none for 10 s at the start.
    """

    async def on_error(error: Exception) -> None:
        log.warning("nats error", error=repr(error))

    async def on_disconnect() -> None:
        log.warning("nats disconnected")
        nc.give_up_requests()

    async def reconnected() -> None:
        log.info("nats reconnected")
        await on_reconnect()

    nc = Connection()
    try:
        async with asyncio.timeout(START_SECONDS):
            await nc.connect(
                url,
                name=name,
                error_cb=on_error,
                disconnected_cb=on_disconnect,
                reconnected_cb=reconnected,
                reconnect_time_wait=0.25,  # pyright: ignore[reportArgumentType]  (seconds, used in asyncio.sleep)
                max_reconnect_attempts=-1,
                ping_interval=20,
                max_outstanding_pings=2,
                drain_timeout=10,
            )
    except TimeoutError as error:
        raise Unreachable("NATS does not answer, or refuses these credentials") from error
    try:
        yield nc
    finally:
        if nc.is_connected:
            await nc.drain()
        else:
            await nc.close()
