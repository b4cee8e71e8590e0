"""A simulated user: sends messages, follows the answers in several tabs, edits and regenerates, and writes notes."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any

from tests.chaos import hands
from tests.chaos.deeds import Deed, Regenerate, Rephrase, Reply, Say, Undo
from tests.chaos.door import Door
from tests.chaos.errands import Errand, Expected, errand
from tests.chaos.moments import Moments
from tests.chaos.reader import Reader
from tests.chaos.tab import Tab

TABS = 2
STOPPED = 0.3
"""The share of stories that are cancelled."""
BY_HAND, IN_FILES = 0.15, 0.05
"""The shares of actions without the assistant."""


@dataclass
class Ask:
    """One run, from the user's side. `stopped`: a stop was requested, possibly too late. `undone`: its changes were
    undone."""

    message: str
    readers: list[Reader]
    reply: Reply = "allow"
    stopped: bool = False
    undone: bool = False

    @property
    def run_id(self) -> str:
        return self.readers[0].run_id


@dataclass
class Person:
    """`talks`: the conversations, each with its runs in order."""

    door: Door
    moments: Moments
    rng: random.Random
    talks: dict[str, list[Ask]] = field(default_factory=dict[str, list[Ask]])
    expected: list[Expected] = field(default_factory=list[Expected])
    tabs: list[Tab] = field(init=False)

    def __post_init__(self) -> None:
        self.tabs = [Tab(self.door, self.moments) for _ in range(TABS)]

    @property
    def asks(self) -> list[Ask]:
        return [ask for talk in self.talks.values() for ask in talk]

    async def live(self, over: asyncio.Event) -> None:
        """Runs one scenario after another until `over`; the last one is finished."""
        while not over.is_set():
            mood = self.rng.random()
            if mood < IN_FILES:
                self.expected += await hands.bring(self.door)
            elif mood < IN_FILES + BY_HAND:
                self.expected += await hands.write(self.door)
            else:
                await self._run(errand(self.rng))

    async def _run(self, wanted: Errand) -> None:
        answer = await self.door.ask("POST", "/api/conversations", json={})
        assert answer.status_code == 201, answer.text
        talk: str = answer.json()["id"]
        self.talks[talk] = []
        for deed in wanted.deeds:
            await self._do(talk, deed)
        self.expected += wanted.notes

    async def _do(self, talk: str, deed: Deed) -> None:
        request = {"client_request_id": f"{self.rng.getrandbits(64):x}"}
        match deed:
            case Say(message, reply):
                await self._ask(talk, message, request | {"message": message, "conversation_id": talk}, reply)
            case Undo():
                await self._undo(self.talks[talk][-1])
            case Rephrase(message):
                path = f"/api/conversations/{talk}/messages/{await self._last_message(talk)}/edit"
                await self._ask(talk, message, request | {"message": message}, "allow", path)
            case Regenerate():
                path = f"/api/conversations/{talk}/messages/{await self._last_message(talk)}/regenerate"
                await self._ask(talk, self.talks[talk][-1].message, request, "allow", path)

    async def _last_message(self, talk: str) -> str:
        """The id of the user's last message."""
        answer = await self.door.ask("GET", f"/api/conversations/{talk}")
        return [message["id"] for message in answer.json()["messages"] if message["role"] == "user"][-1]

    async def _ask(
        self, talk: str, message: str, request: dict[str, str], reply: Reply, path: str | None = None
    ) -> None:
        """`path`: of the request that starts the run, if it is not a message at the end of the conversation."""
        first = Reader(self.door, self.moments, hops=self.rng.choice([0, 0, 0.01, 0.1]))
        self.talks[talk].append(ask := Ask(message, [first], reply))
        replying = asyncio.create_task(self._reply(ask))
        try:
            await self._begin(first, request, path)
            second = Reader(self.door, self.moments, first.run_id, hops=self.rng.choice([0, 0.05]))
            ask.readers.append(second)
            async with asyncio.TaskGroup() as tabs:
                tabs.create_task(first.watch())
                tabs.create_task(second.watch())
                if "story" in message and self.rng.random() < STOPPED:
                    tabs.create_task(self._stop_in_the_middle(ask))
        finally:
            replying.cancel()

    async def _begin(self, reader: Reader, request: dict[str, str], path: str | None) -> None:
        """Starts a run in either way: in one request, whose response is the stream, or in two."""
        if path is None and self.rng.random() < 0.5:
            return await reader.ask(request)
        answer = await self.door.ask("POST", path or "/api/runs", json=request)
        assert answer.status_code == 202, answer.text
        reader.run_id = answer.json()["run_id"]
        self.moments.reached("queued")

    async def _reply(self, ask: Ask) -> None:
        """Decides all tool calls that wait for approval. If a decision was lost with its gateway, it may have been
        applied: then the retry is refused."""
        while True:
            decision: dict[str, Any] = {
                "call_id": await ask.readers[0].waiting_calls.get(),
                "approve": ask.reply == "allow",
            }
            await asyncio.sleep(self.rng.uniform(0, 0.5))
            if ask.reply == "stop":
                await self._stop(ask)
                continue
            path = f"/api/runs/{ask.run_id}/decisions"
            answer = await self.door.ask("POST", path, json={"decisions": [decision]})
            expected = answer.status_code in (202, 409, 422)
            self.door.troubles.check("wrong", expected, f"{path}: {answer.status_code} {answer.text[:200]}")

    async def _stop_in_the_middle(self, ask: Ask) -> None:
        await self.moments.next("token")
        await asyncio.sleep(self.rng.uniform(0, 1))
        await self._stop(ask)

    async def _stop(self, ask: Ask) -> None:
        ask.stopped = True
        answer = await self.door.ask("POST", f"/api/runs/{ask.run_id}/cancel")
        assert answer.status_code == 202, answer.text

    async def _undo(self, ask: Ask) -> None:
        path, ask.undone = f"/api/runs/{ask.run_id}/undo", True
        for answer in await asyncio.gather(*(self.door.ask("POST", path) for _ in range(2))):
            well = answer.status_code == 200 and answer.json()["undone"] and not answer.json()["conflicts"]
            self.door.troubles.check("lost", well, f"{path}: {answer.status_code} {answer.text[:200]}")
