"""nats-py's client with two features that it has no public API for. The only file that uses its private parts:
see docs/adr/0012-private-parts-behind-adapters.md for what breaks when they change and which test notices."""

import asyncio

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError


class Connection(Client):
    """nats-py 2.16 writes the PING of a `flush` before its buffered data, so that the server's PONG does not confirm
    earlier subscriptions and messages. Here it does, also in `drain`, which uses `flush`."""

    async def flush(self, timeout: int = 10) -> None:
        """Returns when the server has processed everything sent before. `FlushTimeoutError` after `timeout` seconds."""
        await self._flush_pending(force_flush=True)
        await super().flush(timeout)

    def fail_pending_requests(self) -> None:
        """Fails all pending requests: their replies are lost with the connection, so that waiting is useless."""
        waiting: list[asyncio.Future[Msg]] = [*self._resp_map.values()]
        for reply in waiting:
            if not reply.done():
                reply.set_exception(ConnectionClosedError())
