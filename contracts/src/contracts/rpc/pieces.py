"""A long answer in pieces, which its reader asks for one by one: neither side holds more than one of them."""

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
"""A reader that asks for nothing for so long has gone."""
ANSWER_SECONDS = 5.0
PAUSES = (0.25, 0.5, 1.0, 2.0, 2.0)
"""Seconds between attempts while the connection is away. A piece may be asked for again."""
CLOSE = 0


async def offer(nc: Client, subject: str) -> Subscription:
    """From now on the pieces can be asked for; they wait for `serve_pieces`."""
    subscription = await nc.subscribe(subject)
    await nc.flush()
    return subscription


async def serve_pieces(subscription: Subscription, pieces: AsyncGenerator[bytes]) -> None:
    """Serves one reader until it has them all and says so, or has gone. What `pieces` raises ends it: the reader then
    finds nobody."""
    number, piece = 0, b""
    try:
        while (wanted := int((msg := await subscription.next_msg(IDLE_SECONDS)).data)) != CLOSE:
            if wanted == number + 1:
                number, piece = wanted, await anext(pieces, b"")
            if wanted == number:
                await msg.respond(piece)
    except NatsTimeoutError:
        log.info("a reader has gone", subject=subscription.subject)
    finally:
        await pieces.aclose()
        await subscription.unsubscribe()


async def read_pieces(nc: Client, subject: str) -> AsyncGenerator[bytes]:
    """The pieces in order, to the end. Raises `ServiceUnavailable` where they stop before."""
    number = 1
    try:
        while piece := await _ask(nc, subject, number):
            yield piece
            number += 1
    finally:
        if nc.is_connected:
            await nc.publish(subject, b"%d" % CLOSE)


async def _ask(nc: Client, subject: str, number: int) -> bytes:
    for pause in (*PAUSES, None):
        try:
            if nc.is_connected:
                return (await nc.request(subject, b"%d" % number, timeout=ANSWER_SECONDS)).data
        except NoRespondersError as error:
            raise ServiceUnavailable from error
        except (NatsTimeoutError, ConnectionClosedError):
            log.warning("a piece did not come", subject=subject, number=number)
        if pause is not None:
            await asyncio.sleep(pause)
    raise ServiceUnavailable
