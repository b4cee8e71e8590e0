"""Transfers a long response in chunks that its reader requests one by one, so that each side holds only one of them."""

import asyncio
from collections.abc import AsyncGenerator

import structlog
from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError, NoRespondersError
from nats.errors import TimeoutError as NatsTimeoutError

from contracts.errors import ServiceUnavailable

log = structlog.stdlib.get_logger()

IDLE_SECONDS = 60.0
"""A reader that requests nothing for this long is considered gone."""
ANSWER_SECONDS = 5.0
BACKOFF_SECONDS = (0.25, 0.5, 1.0, 2.0, 2.0)
"""Seconds between attempts while the connection is lost. Requesting a chunk again is safe."""
CLOSE = 0


async def offer(nc: Client, subject: str) -> Subscription:
    """Subscribes to requests for chunks; they are queued until `serve_chunks`."""
    subscription = await nc.subscribe(subject)
    await nc.flush()
    return subscription


async def serve_chunks(subscription: Subscription, chunks: AsyncGenerator[bytes]) -> None:
    """Serves one reader until it has all chunks, or is gone. An error of `chunks` ends it: the reader then gets no
    answer."""
    number, chunk = 0, b""
    try:
        while (wanted := int((msg := await subscription.next_msg(IDLE_SECONDS)).data)) != CLOSE:
            if wanted == number + 1:
                number, chunk = wanted, await anext(chunks, b"")
            if wanted == number:
                await msg.respond(chunk)
    except NatsTimeoutError:
        log.info("a reader has gone", subject=subscription.subject)
    finally:
        await chunks.aclose()
        await subscription.unsubscribe()


async def read_chunks(nc: Client, subject: str) -> AsyncGenerator[bytes]:
    """The chunks in order, to the end. Raises `ServiceUnavailable` if they stop before."""
    number = 1
    try:
        while chunk := await _request(nc, subject, number):
            yield chunk
            number += 1
    finally:
        if nc.is_connected:
            await nc.publish(subject, b"%d" % CLOSE)


async def _request(nc: Client, subject: str, number: int) -> bytes:
    for pause in (*BACKOFF_SECONDS, None):
        try:
            if nc.is_connected:
                return (await nc.request(subject, b"%d" % number, timeout=ANSWER_SECONDS)).data
        except NoRespondersError as error:
            raise ServiceUnavailable from error
        except (NatsTimeoutError, ConnectionClosedError):
            log.warning("a chunk did not arrive", subject=subject, number=number)
        if pause is not None:
            await asyncio.sleep(pause)
    raise ServiceUnavailable
