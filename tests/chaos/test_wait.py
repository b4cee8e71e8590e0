"""A tool call waits for approval while everything is killed; the decision is then applied once, in the same stream."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from httpx_sse import ServerSentEvent, aconnect_sse
from nats.aio.client import Client

from contracts.streams import RUN_EVENTS
from servicekit.streams import ensure_streams
from standalone.system import System
from standalone.testing import SLOW_SECONDS, connection, until
from tests.e2e.client import assert_whole, data, read_run, signed_up, start_run


async def waiting(client: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        run = (await client.get(f"/api/runs/{run_id}")).json()
        return run if run["status"] == "waiting" else None

    return await until("a run that waits", look)


@asynccontextmanager
async def short_memory(system: System) -> AsyncGenerator[Client]:
    """Shortens the retention of the event stream to two seconds."""
    async with connection(system.nats, "admin") as nc:
        short = RUN_EVENTS.model_copy(update={"max_age": 2.0, "duplicate_window": 1.0})
        await ensure_streams(nc.jetstream(), short)
        try:
            yield nc
        finally:
            await ensure_streams(nc.jetstream(), RUN_EVENTS)


async def until_forgotten(nc: Client, run_id: str) -> None:
    async def look() -> bool:
        info = await nc.jetstream().stream_info(RUN_EVENTS.name, subjects_filter=f"log.*.{run_id}")
        return not info.state.subjects

    await until("a stream that has let the run go", look)


async def read_until_approval(client: httpx.AsyncClient, run_id: str) -> list[ServerSentEvent]:
    """The stream's events up to the one that requires approval."""
    events: list[ServerSentEvent] = []
    async with asyncio.timeout(SLOW_SECONDS), aconnect_sse(client, "GET", f"/api/runs/{run_id}/events") as source:
        async for event in source.aiter_sse():
            events.append(event)
            if event.event == "approval_required":
                break
    return events


def as_tuples(events: list[ServerSentEvent]) -> list[tuple[str, str, str]]:
    return [(event.id, event.event, event.data) for event in events]


async def test_the_wait_outlives_the_stream(system: System) -> None:
    """The stream drops the events before the user decides; still every reader gets the same events at any time."""
    async with signed_up(system.url) as client, short_memory(system) as nc:
        await client.post("/api/notes", json={"title": "Old plans"})
        run_id = (await start_run(client, "tell a long story, then delete the note Old plans"))["run_id"]
        before = await read_until_approval(client, run_id)
        await waiting(client, run_id)
        await until_forgotten(nc, run_id)
        assert as_tuples(await read_until_approval(client, run_id)) == as_tuples(before)
        watching = asyncio.create_task(read_run(client, run_id))
        decision = {"call_id": data(before[-1])["calls"][0]["call_id"], "approve": True}
        answer = await client.post(f"/api/runs/{run_id}/decisions", json={"decisions": [decision]})
        assert answer.status_code == 202, answer.text
        async with asyncio.timeout(SLOW_SECONDS):
            whole, again = await watching, await read_run(client, run_id)
    assert_whole(whole)
    assert as_tuples(whole)[: len(before)] == as_tuples(before)
    assert as_tuples(again) == as_tuples(whole)
    assert data(whole[-1])["status"] == "completed"


@pytest.mark.parametrize("approve", [True, False])
async def test_the_wait_outlives_every_process(system: System, approve: bool) -> None:
    async with signed_up(system.url) as client:
        made = await client.post("/api/notes", json={"title": "Old plans"})
        run_id = (await start_run(client, "delete the note Old plans"))["run_id"]
        (call,) = data((await read_until_approval(client, run_id))[-1])["calls"]
        assert call["name"] == "delete_note"
        await waiting(client, run_id)
        killed = system.pids()
        for pid in killed.values():
            os.kill(pid, signal.SIGKILL)
        await system.wait_ready(SLOW_SECONDS, replacing=killed)
        run = await waiting(client, run_id)
        assert [pending["call_id"] for pending in run["pending"]] == [call["call_id"]]
        decision = {"call_id": call["call_id"], "approve": approve, "reason": None if approve else "I need it"}
        answer = await client.post(f"/api/runs/{run_id}/decisions", json={"decisions": [decision]})
        assert answer.status_code == 202, answer.text
        async with asyncio.timeout(SLOW_SECONDS):
            events = await read_run(client, run_id)
        assert_whole(events)
        names = [event.event for event in events]
        assert "restart" not in names
        assert names.count("approval_required") == names.count("approval_decided") == 1
        done = [data(event) for event in events if event.event == "tool_done"][-1]
        assert (done["name"], done["status"]) == ("delete_note", "ok" if approve else "denied")
        note = (await client.get(f"/api/notes/{made.json()['id']}")).json()
        assert (note["deleted_at"] is not None) == approve
        repeated = await client.post(f"/api/runs/{run_id}/decisions", json={"decisions": [decision]})
        assert (repeated.status_code, repeated.json()["code"]) == (422, "validation_failed")
