"""A part that is away: a clear error in bounded time, and everything works again once it is back."""

import asyncio
import os
import signal
import time
from collections.abc import Generator
from contextlib import contextmanager

import httpx
import psutil
import pytest

from standalone.system import System
from tests.e2e.client import assert_whole, data, read_run, signed_up, start_run

GIVEN_UP_WITHIN = 5.5


@contextmanager
def frozen(system: System, name: str) -> Generator[None]:
    """The process is there but does nothing: the worst kind of away, as nothing says so."""
    pid = system.pids()[name]
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def assert_unavailable(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_notes_service_that_hangs_is_given_up_within_five_seconds(system: System) -> None:
    async with signed_up(system.url) as client:
        with frozen(system, "notes-service"):
            asked = time.monotonic()
            assert_unavailable(await client.get("/api/notes"))
            assert time.monotonic() - asked < GIVEN_UP_WITHIN
        assert (await client.get("/api/notes")).status_code == 200


async def test_a_database_that_hangs_is_given_up_within_five_seconds(system: System) -> None:
    async with signed_up(system.url) as client:
        with frozen(system, "postgres"):
            pids = _children(system.pids()["postgres"])
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            try:
                asked = time.monotonic()
                assert_unavailable(await client.get("/api/notes"))
                assert time.monotonic() - asked < GIVEN_UP_WITHIN
            finally:
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
        assert (await client.get("/api/notes")).status_code == 200


@pytest.mark.parametrize("name", ["notes-service", "agent-service", "nats", "postgres"])
async def test_a_killed_part_is_told_about_at_once_and_comes_back(system: System, name: str) -> None:
    path = "/api/conversations" if name == "agent-service" else "/api/notes"
    async with signed_up(system.url) as client:
        old = system.pids()[name]
        os.kill(old, signal.SIGKILL)
        asked = time.monotonic()
        answer = await client.get(path)
        assert time.monotonic() - asked < GIVEN_UP_WITHIN
        if answer.status_code != 200:
            assert_unavailable(answer)
        await system.wait_ready(replacing={name: old})
        assert (await _until_ok(client, path)).status_code == 200


async def test_a_run_whose_agent_is_killed_still_ends_once(system: System) -> None:
    async with signed_up(system.url) as client:
        run = await start_run(client, "Tell a long story")
        reading = asyncio.create_task(read_run(client, run["run_id"]))
        old = system.pids()["agent-service"]
        os.kill(old, signal.SIGKILL)
        events = await asyncio.wait_for(reading, 60)
        assert_whole(events)
        assert data(events[-1])["status"] == "completed"
        await system.wait_ready(replacing={"agent-service": old})


async def _until_ok(client: httpx.AsyncClient, path: str) -> httpx.Response:
    async with asyncio.timeout(60):
        while (answer := await client.get(path)).status_code != 200:
            assert_unavailable(answer)
            await asyncio.sleep(0.1)
    return answer


def _children(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children()]
