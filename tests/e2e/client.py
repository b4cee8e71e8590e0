"""An HTTP client of the API: signs up, starts runs, reads their streams with `httpx-sse`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
from httpx_sse import ServerSentEvent, aconnect_sse

from contracts.run_events import EventId
from tests.e2e.person import PASSWORD, SLOW_MS, new_username


@asynccontextmanager
async def signed_up(url: str, username: str | None = None) -> AsyncGenerator[httpx.AsyncClient]:
    """A client with a session cookie of a new account."""
    async with httpx.AsyncClient(base_url=url, timeout=SLOW_MS / 1000) as client:
        answer = await client.post(
            "/api/auth/register", json={"username": username or new_username(), "password": PASSWORD}
        )
        assert answer.status_code == 201, answer.text
        yield client


async def start_run(client: httpx.AsyncClient, message: str, **more: Any) -> dict[str, str]:
    answer = await client.post("/api/runs", json={"message": message, **more})
    assert answer.status_code == 202, answer.text
    return answer.json()


async def read_run(client: httpx.AsyncClient, run_id: str, after: str = "0") -> list[ServerSentEvent]:
    """Every event of the run after the id `after`, to the end of the stream."""
    async with aconnect_sse(client, "GET", f"/api/runs/{run_id}/events?after={after}") as source:
        source.response.raise_for_status()
        return [event async for event in source.aiter_sse()]


def data(event: ServerSentEvent) -> Any:
    return orjson.loads(event.data)


def assert_whole(events: list[ServerSentEvent], after: int = 0) -> None:
    """Ids in order, numbers without a gap from `after` on, `run` first, `done` last and once. A `restart` may take back
    what a worker had said that died."""
    ids = [EventId.parse(event.id) for event in events]
    assert ids == sorted(set(ids))
    last = EventId(ids[0].attempt, after)
    for event_id, event in zip(ids, events, strict=True):
        assert event_id.number == last.number + 1 or (event.event == "restart" and event_id.number <= last.number)
        assert event_id.attempt == last.attempt or event.event == "restart"
        last = event_id
    if after == 0:
        assert events[0].event == "run"
    assert [event.event for event in events].count("done") == 1
    assert events[-1].event == "done"
