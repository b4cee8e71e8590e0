"""nats-py's client with the two things that it has no public way to do. The only file that uses its private parts:
see docs/adr/0012-private-parts-behind-adapters.md for what breaks when they change and which test notices."""

import asyncio

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError


class Connection(Client):
    """nats-py 2.16 writes the PING of a `flush` ahead of what it still holds in its buffer: the server's PONG then says
    nothing about the subscriptions and messages before it. Here it does, also in `drain`, which is built on `flush`."""

    async def flush(self, timeout: int = 10) -> None:
        """Returns when the server has taken everything sent before. `FlushTimeoutError` after `timeout` seconds."""
        await self._flush_pending(force_flush=True)
        await super().flush(timeout)

    def fail_pending_requests(self) -> None:
        """The connection is lost, and with it the replies on their way: nobody need wait out their time-outs."""
        waiting: list[asyncio.Future[Msg]] = [*self._resp_map.values()]
        for reply in waiting:
            if not reply.done():
                reply.set_exception(ConnectionClosedError())
