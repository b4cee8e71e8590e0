"""Users who talk to the assistant, and the events that they receive."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from agent_service.worker import Worker
from contracts import chat, notes, subjects
from contracts.actor import Actor
from contracts.errors import ServiceUnavailable
from contracts.ids import new_id
from contracts.operation import Operation
from contracts.run_events import Envelope, read_frames
from servicekit import rpc
from standalone.testing import SLOW_SECONDS, until

Serve = Callable[..., AbstractAsyncContextManager[Worker]]


@dataclass
class ReceivedEvents:
    """A run's events as they came live, each once, without those that a later attempt made void."""

    events: list[Envelope] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, msg: Msg) -> None:
        for event in read_frames(msg.data):
            if self.events and event.attempt > self.events[-1].attempt:
                self.events = [known for known in self.events if known.seq < event.seq]
            if not self.events or event.id > self.events[-1].id:
                self.events.append(event)
        self.news.set()

    async def until(self, seen: Callable[[], Any]) -> None:
        async with asyncio.timeout(SLOW_SECONDS):
            while not seen():
                self.news.clear()
                await self.news.wait()

    async def done(self) -> "ReceivedEvents":
        await self.until(lambda: self.of("done"))
        return self

    def of(self, name: str) -> list[dict[str, Any]]:
        return [orjson.loads(event.data) for event in self.events if event.event == name]

    @property
    def names(self) -> list[str]:
        return [event.event for event in self.events]

    @property
    def text(self) -> str:
        return "".join(event["token"] for event in self.of("token"))

    def assert_contiguous(self) -> None:
        assert [event.seq for event in self.events] == list(range(1, len(self.events) + 1))
        assert self.names.count("done") == 1
        assert self.names[0] == "run"
        assert self.names[-1] == "done"


@dataclass
class Person:
    """A user of the assistant, with requests as the gateway would send them."""

    nc: Client
    actor: Actor
    signals: list[dict[str, Any]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, operation: Operation[Any, Any], **fields: Any) -> Any:
        return await rpc.call(self.nc, operation, operation.request(actor=self.actor, **fields))

    async def say(self, message: str, **fields: Any) -> tuple[chat.RunStarted, ReceivedEvents]:
        """Subscribes before it sends, so that no event is missed."""
        run_id = fields.pop("run_id", new_id())
        received = await self.listen(run_id)
        started = await self.ask(chat.RUN_START, run_id=run_id, message=message, username="ada", **fields)
        return started, received

    async def say_once_served(self, message: str) -> tuple[chat.RunStarted, ReceivedEvents]:
        """Like `say`, while the service or the broker is still starting."""

        async def say() -> tuple[chat.RunStarted, ReceivedEvents] | None:
            with suppress(ServiceUnavailable, OSError):
                return await self.say(message, client_request_id="once")
            return None

        return await until("a service that takes messages", say)

    async def talk(self, message: str, **fields: Any) -> tuple[chat.RunStarted, ReceivedEvents]:
        started, received = await self.say(message, **fields)
        return started, await received.done()

    async def note(self, title: str, body: str = "") -> notes.Note:
        return await self.ask(notes.CREATE, title=title, body=body)

    async def conversation(self, conversation_id: str) -> chat.Conversation:
        return await self.ask(chat.CONVERSATION_GET, conversation_id=conversation_id)

    async def run(self, run_id: str) -> chat.Run:
        return await self.ask(chat.RUN_GET, run_id=run_id)

    async def receive_signal(self, msg: Msg) -> None:
        self.signals.append(orjson.loads(msg.data))
        self.news.set()

    async def until_signal(self, signal: dict[str, Any]) -> None:
        async with asyncio.timeout(SLOW_SECONDS):
            while signal not in self.signals:
                self.news.clear()
                await self.news.wait()

    async def until_run(self, run_id: str, status: chat.RunStatus) -> chat.Run:
        """The run once it has this status: every change of the status is signalled."""
        async with asyncio.timeout(SLOW_SECONDS):
            while True:
                self.news.clear()
                if (run := await self.run(run_id)).status == status:
                    return run
                await self.news.wait()

    async def listen(self, run_id: str) -> ReceivedEvents:
        """Subscribes to a run from now on."""
        received = ReceivedEvents()
        await self.nc.subscribe(subjects.user_live(self.actor.user_id, run_id), cb=received.take)
        await self.nc.flush()
        return received
