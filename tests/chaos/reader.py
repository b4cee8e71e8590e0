"""A tab that follows one run: it loses its connection, and resumes with `Last-Event-ID`, until `done`."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
from httpx_sse import EventSource, ServerSentEvent, aconnect_sse

from contracts.run_events import EventId
from tests.chaos.answer import Answer
from tests.chaos.door import Door
from tests.chaos.moments import Moments

SILENCE_SECONDS = 60.0
"""There is a heartbeat every 10 s."""


@dataclass(frozen=True)
class Seen:
    id: EventId
    event: str
    data: str
    at: float


@dataclass
class Reader:
    """`hops`: the probability per event that this tab is reloaded elsewhere. `waiting_calls`: tool calls that wait for
    approval."""

    door: Door
    moments: Moments
    run_id: str = ""
    hops: float = 0.0
    seen: list[Seen] = field(default_factory=list[Seen])
    answer: Answer = field(default_factory=Answer)
    waiting_calls: asyncio.Queue[str] = field(default_factory=asyncio.Queue[str])
    done: bool = False

    async def watch(self) -> None:
        """Returns after `done`."""
        while not self.done:
            headers = {"Last-Event-ID": str(self.seen[-1].id)} if self.seen else {}
            url = f"{self.door.url()}/api/runs/{self.run_id}/events"
            await self.read(aconnect_sse(self.door.client, "GET", url, headers=headers, timeout=_timeout()))
            if not self.done:
                await asyncio.sleep(self.door.rng.uniform(0.02, 0.5))

    async def ask(self, request: dict[str, Any]) -> None:
        """Starts a run by `POST /api/chat` and reads its response as far as the connection lasts. Retried with the same
        `client_request_id` until the run is known; from then on it is followed like any other."""
        while not self.run_id:
            url = f"{self.door.url()}/api/chat"
            await self.read(aconnect_sse(self.door.client, "POST", url, json=request, timeout=_timeout()))
            if not self.run_id:
                await asyncio.sleep(self.door.rng.uniform(0.05, 0.3))

    async def read(self, connecting: AbstractAsyncContextManager[EventSource]) -> None:
        """Reads one connection to its end."""
        troubles = self.door.troubles
        try:
            async with connecting as source:
                if source.response.status_code == 200:
                    await self._take_all(source.aiter_sse())
                elif source.response.status_code != 503:
                    await source.response.aread()
                    troubles.add("wrong", f"{self.run_id}: {source.response.status_code} {source.response.text[:200]}")
        except httpx.ReadTimeout:
            troubles.add("stuck", f"{self.run_id}: silent for {SILENCE_SECONDS:.0f} s after {len(self.seen)} events")
        except httpx.TransportError:
            pass  # the gateway went away

    async def _take_all(self, events: AsyncGenerator[ServerSentEvent]) -> None:
        async for event in events:
            if event.data:
                self._take(event)
            if not self.done and self.door.rng.random() < self.hops:
                return

    def _take(self, event: ServerSentEvent) -> None:
        if self.done:
            self.door.troubles.add("repeated", f"{self.run_id}: {event.event} after done")
        data = orjson.loads(event.data)
        self.seen.append(Seen(EventId.parse(event.id or "0"), event.event, event.data, time.monotonic()))
        self.answer.apply(event.event, data)
        self.moments.reached(event.event)
        if event.event == "run":
            self.run_id = data["run_id"]
        for call in data["calls"] if event.event == "approval_required" else ():
            self.waiting_calls.put_nowait(call["call_id"])
        self.done = self.done or event.event == "done"

    def longest_pause(self) -> float:
        return max((later.at - earlier.at for earlier, later in zip(self.seen, self.seen[1:], strict=False)), default=0)


def _timeout() -> httpx.Timeout:
    return httpx.Timeout(SILENCE_SECONDS, pool=None)
