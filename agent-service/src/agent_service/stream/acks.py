"""JetStream's acks for all runs of the process: one inbox, and a watch over what is not acked in time."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error

from servicekit.background import in_background

log = structlog.stdlib.get_logger()

WATCH_SECONDS = 0.5
UNSENT = (Error, OSError, RuntimeError)
"""What a publish raises while the connection goes away; a closed transport says so with a bare `RuntimeError`."""


class Sender(Protocol):
    """A stream of events that wants to know what the server has stored."""

    def acked(self, seq: int) -> None: ...

    def refused(self, seq: int) -> None: ...

    async def send_again(self, *, all_of_them: bool) -> None:
        """Publishes what was refused, or not acked in time; all that is not acked after a reconnect."""
        ...


class Acks:
    """Every event is published with the reply subject `<inbox>.<stream>.<seq>`."""

    def __init__(self, nc: Client) -> None:
        self.nc = nc
        self._inbox = nc.new_inbox()
        self._keys = itertools.count()
        self._senders: dict[str, Sender] = {}

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator["Acks"]:
        subscription = await self.nc.subscribe(f"{self._inbox}.*.*", cb=self._receive)
        try:
            async with in_background(self._watch()):
                yield self
        finally:
            if self.nc.is_connected:
                await subscription.unsubscribe()

    def register(self, sender: Sender) -> str:
        """The reply subject for this sender, to be followed by a dot and the event's number."""
        key = str(next(self._keys))
        self._senders[key] = sender
        return f"{self._inbox}.{key}"

    def forget(self, reply: str) -> None:
        self._senders.pop(reply.rsplit(".", 1)[1], None)

    async def _receive(self, msg: Msg) -> None:
        _, key, seq = msg.subject.rsplit(".", 2)
        sender = self._senders.get(key)
        if sender is None:
            return
        if msg.data and b'"error"' not in msg.data:
            sender.acked(int(seq))
        else:  # an empty answer: no stream listened
            log.warning("event not stored", answer=msg.data.decode(errors="replace"))
            sender.refused(int(seq))

    async def _watch(self) -> None:
        connects = self.nc.stats["reconnects"]
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if not self.nc.is_connected:
                continue
            again, connects = self.nc.stats["reconnects"] != connects, self.nc.stats["reconnects"]
            for sender in list(self._senders.values()):
                try:
                    await sender.send_again(all_of_them=again)
                except UNSENT as error:  # the connection went away once more: the next round finds it
                    log.warning("event not sent", error=repr(error))
