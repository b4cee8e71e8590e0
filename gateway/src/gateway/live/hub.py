"""One NATS subscription per connected user, fanned out to the listeners of this process. Knows no HTTP."""

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from contracts import subjects
from contracts.errors import ServiceUnavailable
from gateway.live.event import LiveEvent

log = structlog.stdlib.get_logger()

FLUSH_SECONDS = 3


class RunListener(Protocol):
    """Hears one run. Called in the order of arrival; must return at once, for it is called where messages come in."""

    def on_event(self, event: LiveEvent) -> None: ...

    def on_reconnect(self) -> None:
        """Messages may have been missed."""
        ...


class UserListener(Protocol):
    """Hears everything of a user that is not a run's event: `topic` is `notes` or `signal`, `data` JSON."""

    def on_message(self, topic: str, data: bytes) -> None: ...

    def on_reconnect(self) -> None: ...


class Hub:
    """Listeners come and go; a user's subscription lives as long as there is one. `between_us` hears signals first, and
    says of which it is that no listener should hear them."""

    def __init__(self, nc: Client, between_us: Callable[[bytes], bool] | None = None) -> None:
        self._nc = nc
        self._between_us = between_us
        self._channels: dict[str, _Channel] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def users(self) -> int:
        return len(self._channels)

    async def join_run(self, user_id: str, run_id: str, listener: RunListener) -> None:
        """Returns once the broker has confirmed: what is published from then on is heard."""
        channel = self._channel(user_id)
        channel.runs.setdefault(run_id, []).append(listener)
        await self._opened(user_id, channel)

    async def join_user(self, user_id: str, listener: UserListener) -> None:
        channel = self._channel(user_id)
        channel.others.append(listener)
        await self._opened(user_id, channel)

    def leave_run(self, user_id: str, run_id: str, listener: RunListener) -> None:
        """Safe to call twice, and for one who never joined."""
        channel = self._channels.get(user_id)
        if channel is None:
            return
        listeners = channel.runs.get(run_id, [])
        if listener in listeners:
            listeners.remove(listener)
            if not listeners:
                del channel.runs[run_id]
        self._close_if_empty(user_id, channel)

    def leave_user(self, user_id: str, listener: UserListener) -> None:
        channel = self._channels.get(user_id)
        if channel is None:
            return
        if listener in channel.others:
            channel.others.remove(listener)
        self._close_if_empty(user_id, channel)

    def reconnected(self) -> None:
        """The connection was lost and is back: nats-py has subscribed again, but what came in between is missed."""
        for channel in self._channels.values():
            for listeners in list(channel.runs.values()):
                for listener in list(listeners):
                    listener.on_reconnect()
            for listener in list(channel.others):
                listener.on_reconnect()

    def _channel(self, user_id: str) -> "_Channel":
        channel = self._channels.get(user_id)
        if channel is None:
            channel = _Channel(self._between_us)
            channel.opening = asyncio.ensure_future(self._subscribe(user_id, channel))
            self._channels[user_id] = channel
        return channel

    async def _subscribe(self, user_id: str, channel: "_Channel") -> Subscription:
        """A SUB may lag behind what others publish: the server's PONG says that it has been heard."""
        if not self._nc.is_connected:
            raise ServiceUnavailable
        try:
            subscription = await self._nc.subscribe(subjects.user_all(user_id), cb=channel.receive)
            await self._nc.flush(FLUSH_SECONDS)
        except NatsError as error:
            raise ServiceUnavailable from error
        return subscription

    async def _opened(self, user_id: str, channel: "_Channel") -> None:
        assert channel.opening is not None
        try:
            await asyncio.shield(channel.opening)
        except ServiceUnavailable:
            if self._channels.get(user_id) is channel:
                del self._channels[user_id]  # its listeners are all told, by this same error
            raise

    def _close_if_empty(self, user_id: str, channel: "_Channel") -> None:
        if channel.runs or channel.others or self._channels.get(user_id) is not channel:
            return
        del self._channels[user_id]
        task = asyncio.ensure_future(self._unsubscribe(channel))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _unsubscribe(self, channel: "_Channel") -> None:
        assert channel.opening is not None
        try:
            await (await channel.opening).unsubscribe()
        except (ServiceUnavailable, NatsError) as error:
            log.debug("not unsubscribed", error=repr(error))  # a closed connection has no subscriptions


class _Channel:
    def __init__(self, between_us: Callable[[bytes], bool] | None) -> None:
        self.between_us = between_us
        self.runs: dict[str, list[RunListener]] = {}
        self.others: list[UserListener] = []
        self.opening: asyncio.Future[Subscription] | None = None

    async def receive(self, msg: Msg) -> None:
        """Called by nats-py, one message at a time; never waits."""
        run_id = subjects.run_of(msg.subject)
        if run_id is None:
            topic = msg.subject.rpartition(".")[2]
            if topic == "signal" and self.between_us and self.between_us(msg.data):
                return
            for listener in list(self.others):
                listener.on_message(topic, msg.data)
        elif (listeners := self.runs.get(run_id)) and (event := LiveEvent.read(msg.headers, msg.data)):
            for listener in list(listeners):
                listener.on_event(event)
