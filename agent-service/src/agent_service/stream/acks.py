"""JetStream's acks of the events of all runs of this process: one inbox, and a loop that resends what is not acked."""

import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import ConnectionClosedError, Error

from servicekit.background import LoopHealth, in_background, repeat
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

RESEND_SECONDS = 0.5


class AckedSender(Protocol):
    """A publisher that must know which of its events the stream has stored."""

    def acked(self, seq: int) -> None: ...

    def refused(self, seq: int) -> None: ...

    async def resend(self, *, everything: bool) -> None:
        """Publishes again what was refused or not acked in time; with `everything`, all that is not acked."""
        ...


class AckInbox:
    """An event is published with the reply subject `<inbox>.<sender>.<seq>`, to which JetStream sends its ack."""

    def __init__(self, nc: Client, loops: LoopHealth) -> None:
        self._nc = nc
        self._loops = loops
        self._inbox = nc.new_inbox()
        self._keys = itertools.count()
        self._senders: dict[str, AckedSender] = {}
        self._reconnects = 0

    @asynccontextmanager
    async def listening(self) -> AsyncGenerator["AckInbox"]:
        self._reconnects = self._nc.stats["reconnects"]
        subscription = await self._nc.subscribe(f"{self._inbox}.*.*", cb=self._receive)
        try:
            async with in_background(repeat("resend events", self._resend, RESEND_SECONDS, self._loops)):
                yield self
        finally:
            if self._nc.is_connected:
                await subscription.unsubscribe()

    def register(self, sender: AckedSender) -> str:
        """The prefix of the sender's reply subjects; `.` and the event's number follow."""
        key = str(next(self._keys))
        self._senders[key] = sender
        return f"{self._inbox}.{key}"

    def unregister(self, reply_prefix: str) -> None:
        self._senders.pop(reply_prefix.rsplit(".", 1)[1], None)

    async def publish(self, subject: str, data: bytes, *, reply: str, headers: dict[str, str]) -> None:
        """Raises `nats.errors.Error` or `OSError` while there is no connection."""
        try:
            await self._nc.publish(subject, data, reply=reply, headers=headers)
        except RuntimeError as error:  # how uvloop reports a write to a transport that has just been closed
            raise ConnectionClosedError from error

    async def _receive(self, msg: Msg) -> None:
        _, key, seq = msg.subject.rsplit(".", 2)
        sender = self._senders.get(key)
        if sender is None:
            return
        if msg.data and b'"error"' not in msg.data:
            sender.acked(int(seq))
        else:  # an empty reply: no stream captures the subject
            log.warning("event not stored", reply=msg.data.decode(errors="replace"))
            sender.refused(int(seq))

    async def _resend(self) -> None:
        if not self._nc.is_connected:
            return
        reconnects = self._nc.stats["reconnects"]
        everything, self._reconnects = reconnects != self._reconnects, reconnects
        for sender in list(self._senders.values()):
            try:
                await sender.resend(everything=everything)
            except (Error, OSError) as error:  # lost again: after the next reconnect everything is sent again
                log.warning("events not resent", error=describe(error))
