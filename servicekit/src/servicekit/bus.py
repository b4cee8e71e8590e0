"""The connection to NATS, with its options and callbacks."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import structlog
from nats.errors import Error as NatsError

from servicekit.error_logging import describe
from servicekit.errors import Unreachable
from servicekit.nats_client import Connection

log = structlog.stdlib.get_logger()

START_SECONDS = 10
"""How long a service waits at its start for the broker; afterwards it waits for ever."""


def inbox_prefix(url: str) -> str:
    """The inbox prefix of the user in `url`. No other user may subscribe to it: see deploy/nats.conf."""
    user = urlsplit(url).username
    return "_INBOX" if user is None else f"_INBOX_{user}"


async def _do_nothing() -> None:
    return None


@asynccontextmanager
async def connected(
    url: str, name: str, *, on_reconnect: Callable[[], Awaitable[None]] = _do_nothing
) -> AsyncGenerator[Connection]:
    """A connection that reconnects for ever, every 0.25 s; drained at the end of the block.

    `url` is `nats://user:password@host:port`. Raises `Unreachable` when there is none for 10 s at the start.
    """

    async def on_error(error: Exception) -> None:
        if isinstance(error, (NatsError, OSError, TimeoutError)):
            log.warning("nats error", error=describe(error))
        else:  # the client passes on what a subscription's callback raises
            log.error("error in a NATS callback", exc_info=error)

    async def on_disconnect() -> None:
        log.warning("nats disconnected")
        nc.fail_pending_requests()

    async def reconnected() -> None:
        log.info("nats reconnected")
        await on_reconnect()

    nc = Connection()
    try:
        async with asyncio.timeout(START_SECONDS):
            await nc.connect(
                url,
                name=name,
                inbox_prefix=inbox_prefix(url),
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
