"""An HTTP client of the API: signs up, starts runs, reads their streams with `httpx-sse`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import orjson
from httpx_sse import ServerSentEvent, aconnect_sse

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


async def read_run(client: httpx.AsyncClient, run_id: str, after: int = 0) -> list[ServerSentEvent]:
    """Every event of the run after number `after`, to the end of the stream."""
    async with aconnect_sse(client, "GET", f"/api/runs/{run_id}/events?after={after}") as source:
        source.response.raise_for_status()
        return [event async for event in source.aiter_sse()]


def data(event: ServerSentEvent) -> Any:
    return orjson.loads(event.data)


def assert_whole(events: list[ServerSentEvent], after: int = 0) -> None:
    """Asserts that the numbers have no gap or duplicate, `run` is first, and `done` is last and occurs once."""
    assert [int(event.id) for event in events] == list(range(after + 1, after + 1 + len(events)))
    if after == 0:
        assert events[0].event == "run"
    assert [event.event for event in events].count("done") == 1
    assert events[-1].event == "done"
