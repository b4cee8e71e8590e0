"""One NATS subscription per connected user, fanned out to the listeners of this process. Knows no HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError

from contracts import subjects
from contracts.errors import ServiceUnavailable
from gateway.live.event import LiveEvent
from gateway.live.replay import Replay
from gateway.live.user_message import UserMessage
from servicekit.background import LoopHealth, report
from servicekit.error_logging import describe
from servicekit.nats_client import Connection

log = structlog.stdlib.get_logger()

FLUSH_SECONDS = 3
LOOP = "live hub"


class RunListener(Protocol):
    """Gets the events of one run in the order of arrival. Called from the NATS callback: must not block."""

    def on_event(self, event: LiveEvent) -> None: ...

    def on_reconnect(self) -> None:
        """Messages may have been missed."""
        ...


class UserListener(Protocol):
    """Gets all messages of a user but the runs' events. Must not block."""

    def on_message(self, message: UserMessage) -> None: ...

    def on_reconnect(self) -> None: ...


class Hub:
    """A user's subscription lasts as long as the user has a listener."""

    def __init__(self, nc: Connection, loops: LoopHealth) -> None:
        self._nc = nc
        self._loops = loops
        self._channels: dict[str, _Channel] = {}
        self._closing: set[asyncio.Task[None]] = set()

    @property
    def users(self) -> int:
        return len(self._channels)

    async def join_run(self, user_id: str, run_id: str, listener: RunListener) -> None:
        """Returns once the broker has confirmed the subscription: what is published from then on is received. Raises
        `ServiceUnavailable`."""
        channel = self._channel(user_id)
        channel.runs.setdefault(run_id, []).append(listener)
        await self._opened(user_id, channel)

    async def join_user(self, user_id: str, listener: UserListener) -> None:
        """As `join_run`."""
        channel = self._channel(user_id)
        channel.others.append(listener)
        await self._opened(user_id, channel)

    async def newest_change(self, user_id: str, read: Callable[[], Awaitable[int]]) -> int:
        """The cursor of the newest note change of a user whom the caller has joined. It is read once for all listeners;
        from then on the changes that come tell it. Raises what `read` raises."""
        channel = self._channels[user_id]
        if channel.knows_newest_change:
            return channel.newest_change
        reading = channel.reading = channel.reading or asyncio.ensure_future(read())
        try:
            newest = await asyncio.shield(reading)
        finally:
            is_current = channel.reading is reading
            if is_current and reading.done():
                channel.reading = None
        if is_current:
            channel.knows_newest_change = True
        channel.newest_change = max(channel.newest_change, newest)
        return channel.newest_change

    def replay(self, user_id: str, run_id: str) -> Replay | None:
        """What a reader in this process has given out of the run, if one records."""
        channel = self._channels.get(user_id)
        return None if channel is None else channel.replays.get(run_id)

    def record(self, user_id: str, run_id: str) -> Replay | None:
        """For a listener of the run that begins before its first event: its recording, which it drops when it leaves.
        None if another one records already."""
        channel = self._channels.get(user_id)
        if channel is None or run_id in channel.replays:
            return None
        replay = channel.replays[run_id] = Replay()
        return replay

    def end_recording(self, user_id: str, run_id: str, replay: Replay) -> None:
        replay.drop()
        channel = self._channels.get(user_id)
        if channel is not None and channel.replays.get(run_id) is replay:
            del channel.replays[run_id]

    def leave_run(self, user_id: str, run_id: str, listener: RunListener) -> None:
        """May be called twice, and for a listener that never joined."""
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
        """The connection was lost and is back: nats-py has subscribed again, but messages in between are missed."""
        for channel in list(self._channels.values()):
            channel.reconnected()

    def _channel(self, user_id: str) -> "_Channel":
        channel = self._channels.get(user_id)
        if channel is None:
            channel = _Channel(subjects.user_live(user_id, ""), self._loops)
            channel.opening = asyncio.ensure_future(self._subscribe(user_id, channel))
            self._channels[user_id] = channel
        return channel

    async def _subscribe(self, user_id: str, channel: "_Channel") -> Subscription:
        """Others may publish before the server has processed our SUB: its PONG says that it has."""
        if not self._nc.is_connected:
            raise ServiceUnavailable
        try:
            subscription = await self._nc.subscribe_now(subjects.user_all(user_id), channel.receive)
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
                del self._channels[user_id]  # all its listeners get this error
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
            log.debug("not unsubscribed", error=describe(error))  # a closed connection has no subscriptions


class _Channel:
    """One user's listeners. What a listener does not get because another one raised, it fetches as it does after any
    lost message."""

    def __init__(self, live: str, loops: LoopHealth) -> None:
        """`live`: what the subjects of the user's runs begin with; the run's id follows."""
        self._live = live
        self.runs: dict[str, list[RunListener]] = {}
        self.replays: dict[str, Replay] = {}
        self.others: list[UserListener] = []
        self.opening: asyncio.Future[Subscription] | None = None
        self.newest_change = 0
        """The greatest cursor of a note change that was received or read."""
        self.knows_newest_change = False
        """It was read after subscribing, and no message can have been missed since."""
        self.reading: asyncio.Future[int] | None = None
        self._loops = loops

    def receive(self, subject: str, data: bytes) -> None:
        """Called in the turn of the loop in which the message arrives."""
        try:
            self._dispatch(subject, data)
        except Exception as error:
            report(LOOP, error, self._loops)
        else:
            self._loops.succeeded(LOOP)

    def reconnected(self) -> None:
        self.knows_newest_change, self.reading = False, None
        for listener in [*(one for listeners in self.runs.values() for one in listeners), *self.others]:
            try:
                listener.on_reconnect()
            except Exception as error:
                report(LOOP, error, self._loops)

    def _dispatch(self, subject: str, data: bytes) -> None:
        if subject.startswith(self._live):
            if listeners := self.runs.get(subject[len(self._live) :]):
                events = LiveEvent.read(data)
                for listener in list(listeners):
                    for event in events:
                        listener.on_event(event)
            return
        message = UserMessage(subject.rpartition(".")[2], data)
        if message.cursor is not None:
            self.newest_change = max(self.newest_change, message.cursor)
        for listener in list(self.others):
            listener.on_message(message)
