"""A person at work: asks, watches the answers in several tabs, writes notes of their own."""

import asyncio
import random
from dataclasses import dataclass, field

from tests.chaos.door import Door
from tests.chaos.errands import Errand, Expected, errand
from tests.chaos.moments import Moments
from tests.chaos.reader import Reader
from tests.chaos.tab import Tab

TABS = 2
STOPPED = 0.3
"""The share of stories that somebody has heard enough of."""


@dataclass
class Ask:
    """One run, from the person's side. `stopped`: they asked it to stop, which it may have been too late for."""

    message: str
    readers: list[Reader]
    stopped: bool = False

    @property
    def run_id(self) -> str:
        return self.readers[0].run_id


@dataclass
class Person:
    door: Door
    moments: Moments
    rng: random.Random
    asks: list[Ask] = field(default_factory=list[Ask])
    expected: list[Expected] = field(default_factory=list[Expected])
    tabs: list[Tab] = field(init=False)

    def __post_init__(self) -> None:
        self.tabs = [Tab(self.door, self.moments) for _ in range(TABS)]

    async def live(self, over: asyncio.Event) -> None:
        """One errand after another, until it is over; the last is finished."""
        while not over.is_set():
            if self.rng.random() < 0.2:
                await self._write_by_hand()
            else:
                await self._run(errand(self.rng))

    async def _run(self, wanted: Errand) -> None:
        conversation = await self.door.ask("POST", "/api/conversations", json={})
        assert conversation.status_code == 201, conversation.text
        for message in wanted.says:
            await self._ask(message, conversation.json()["id"])
        self.expected += wanted.notes

    async def _ask(self, message: str, conversation_id: str) -> None:
        request = {
            "message": message,
            "conversation_id": conversation_id,
            "client_request_id": f"{self.rng.getrandbits(64):x}",
        }
        first = Reader(self.door, self.moments, hops=self.rng.choice([0, 0, 0.01, 0.1]))
        self.asks.append(ask := Ask(message, [first]))
        deciding = asyncio.create_task(self._allow(first))
        try:
            await self._begin(first, request)
            second = Reader(self.door, self.moments, first.run_id, hops=self.rng.choice([0, 0.05]))
            ask.readers.append(second)
            async with asyncio.TaskGroup() as tabs:
                tabs.create_task(first.watch())
                tabs.create_task(second.watch())
                if "story" in message and self.rng.random() < STOPPED:
                    tabs.create_task(self._stop(ask))
        finally:
            deciding.cancel()

    async def _begin(self, reader: Reader, request: dict[str, str]) -> None:
        """Either way there is: in one request, whose answer is the stream, or in two."""
        if self.rng.random() < 0.5:
            return await reader.ask(request)
        answer = await self.door.ask("POST", "/api/runs", json=request)
        assert answer.status_code == 202, answer.text
        reader.run_id = answer.json()["run_id"]
        self.moments.reached("queued")

    async def _allow(self, reader: Reader) -> None:
        """Allows whatever the assistant asks for. An answer that was lost with its gateway may have been heard: then
        the second one is refused."""
        while True:
            decision = {"call_id": await reader.asked.get(), "approve": True}
            await asyncio.sleep(self.rng.uniform(0, 0.5))
            path = f"/api/runs/{reader.run_id}/decisions"
            answer = await self.door.ask("POST", path, json={"decisions": [decision]})
            heard = answer.status_code in (202, 409, 422)
            self.door.troubles.check("wrong", heard, f"{path}: {answer.status_code} {answer.text[:200]}")

    async def _stop(self, ask: Ask) -> None:
        await self.moments.next("token")
        await asyncio.sleep(self.rng.uniform(0, 1))
        ask.stopped = True
        answer = await self.door.ask("POST", f"/api/runs/{ask.run_id}/cancel")
        assert answer.status_code == 202, answer.text

    async def _write_by_hand(self) -> None:
        """The person's own writes, each repeated under its key until it is answered."""
        title = f"Own {self.rng.getrandbits(40):010x}"
        made = await self.door.ask("POST", "/api/notes", json={"title": title, "body": "one"}, headers=self._key())
        assert made.status_code == 201, made.text
        path = f"/api/notes/{made.json()['id']}"
        changed = await self.door.ask("PATCH", path, json={"body": "two"}, headers=self._key() | {"If-Match": '"1"'})
        assert changed.status_code == 200, changed.text
        gone = await self.door.ask("DELETE", path, headers=self._key())
        assert gone.status_code == 204, gone.text
        self.expected.append(Expected(title, ("two",), ("create", "update", "delete")))

    def _key(self) -> dict[str, str]:
        return {"Idempotency-Key": f"{self.rng.getrandbits(64):x}"}
