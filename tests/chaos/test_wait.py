"""A call waits for a person while everything is killed; what they decide then is done, once, in the same stream."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse
from standalone.system import System, running

from tests.conftest import DEMO
from tests.e2e.client import assert_whole, data, read_run, signed_up, start_run

SECONDS = 60.0


@pytest.fixture(scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[System]:
    """A system of our own, to be killed."""
    async with running(data_dir=tmp_path_factory.mktemp("wait"), environment=DEMO) as started:
        yield started


async def until_asked(client: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    """The call that waits, as the stream tells it; and the stream stays open, so we leave it."""
    async with asyncio.timeout(SECONDS), aconnect_sse(client, "GET", f"/api/runs/{run_id}/events") as source:
        async for event in source.aiter_sse():
            if event.event == "approval_required":
                (call,) = data(event)["calls"]
                return call
    raise AssertionError("nobody asked")


async def waiting(client: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    async with asyncio.timeout(SECONDS):
        while (run := (await client.get(f"/api/runs/{run_id}")).json())["status"] != "waiting":  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return run


@pytest.mark.parametrize("approve", [True, False])
async def test_the_wait_outlives_every_process(system: System, approve: bool) -> None:
    async with signed_up(system.url) as client:
        made = await client.post("/api/notes", json={"title": "Old plans"})
        run_id = (await start_run(client, "delete the note Old plans"))["run_id"]
        call = await until_asked(client, run_id)
        assert call["name"] == "delete_note"
        await waiting(client, run_id)
        killed = system.pids()
        for pid in killed.values():
            os.kill(pid, signal.SIGKILL)
        await system.wait_ready(SECONDS, replacing=killed)
        run = await waiting(client, run_id)
        assert [pending["call_id"] for pending in run["pending"]] == [call["call_id"]]
        decision = {"call_id": call["call_id"], "approve": approve, "reason": None if approve else "I need it"}
        answer = await client.post(f"/api/runs/{run_id}/decisions", json={"decisions": [decision]})
        assert answer.status_code == 202, answer.text
        async with asyncio.timeout(SECONDS):
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
