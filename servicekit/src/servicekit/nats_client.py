"""nats-py's client with four features that it has no public API for. The only file that uses its private parts:
see docs/adr/0012-private-parts-behind-adapters.md for what breaks when they change and which test notices."""

import asyncio
from collections.abc import Callable, Mapping

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import ConnectionClosedError, MaxPayloadError


class Connection(Client):
    """nats-py 2.16 writes the PING of a `flush` before its buffered data, so that the server's PONG does not confirm
    earlier subscriptions and messages. Here it does, also in `drain`, which uses `flush`."""

    def __init__(self) -> None:
        super().__init__()
        self._receivers: dict[int, Callable[[str, bytes], None]] = {}

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

    def publish_now(
        self, subject: str, data: bytes, *, reply: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """As `publish`, for callbacks: it waits for nothing. What is published in one turn of the loop is one write.

        Raises `ConnectionClosedError` while there is no connection or the server does not take what was sent before,
        and `MaxPayloadError`.
        """
        queue = self._flush_queue
        if not self.is_connected or queue is None or self._pending_data_size > self._max_pending_size:
            raise ConnectionClosedError
        if len(data) > self.max_payload:
            raise MaxPayloadError
        command = _publish_command(subject, data, reply, headers)
        self._pending.append(command)
        self._pending_data_size += len(command)
        if queue.empty():
            queue.put_nowait(asyncio.Future())

    async def subscribe_now(self, subject: str, receive: Callable[[str, bytes], None]) -> Subscription:
        """As `subscribe`, for callbacks that wait for nothing: `receive` gets subject and data of each message in the
        turn of the loop in which it arrives, without a queue and a task between. It must not raise."""
        subscription = await self.subscribe(subject)
        self._receivers[subscription._id] = receive  # pyright: ignore[reportPrivateUsage]
        return subscription

    async def _process_msg(self, sid: int, subject: bytes, reply: bytes, data: bytes, headers: bytes) -> None:
        receive = self._receivers.get(sid)
        if receive is None:
            await super()._process_msg(sid, subject, reply, data, headers)
        else:
            receive(subject.decode(), data)

    def _remove_sub(self, sid: int, max_msgs: int = 0) -> None:
        super()._remove_sub(sid, max_msgs)
        self._receivers.pop(sid, None)


def _publish_command(subject: str, data: bytes, reply: str, headers: Mapping[str, str] | None) -> bytes:
    to = f"{subject} {reply}" if reply else subject
    if headers is None:
        return b"PUB %b %d\r\n%b\r\n" % (to.encode(), len(data), data)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"NATS/1.0\r\n{lines}\r\n".encode()
    return b"HPUB %b %d %d\r\n%b%b\r\n" % (to.encode(), len(head), len(head) + len(data), head, data)
