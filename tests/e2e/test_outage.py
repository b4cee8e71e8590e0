"""An outage of a part: a clear error in bounded time, and everything works again after it."""

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
from standalone.testing import until
from tests.e2e.client import assert_whole, data, read_run, signed_up, start_run
from tests.model_server import ModelServer, OpenAnswer

GIVEN_UP_WITHIN = 30.0
"""A request waits for at most five seconds (`test_rpc.py`); the rest is for a slow machine. The client's timeout is
longer."""


@contextmanager
def frozen(system: System, name: str) -> Generator[None]:
    """Suspends the process: the worst kind of outage, because nothing reports it."""
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


async def test_a_notes_service_that_hangs_is_given_up(system: System) -> None:
    async with signed_up(system.url) as client:
        with frozen(system, "notes-service"):
            started = time.monotonic()
            assert_unavailable(await client.get("/api/notes"))
            assert time.monotonic() - started < GIVEN_UP_WITHIN
        assert (await client.get("/api/notes")).status_code == 200


async def test_a_database_that_hangs_is_given_up(system: System) -> None:
    async with signed_up(system.url) as client:
        with frozen(system, "postgres"):
            pids = _children(system.pids()["postgres"])
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            try:
                started = time.monotonic()
                assert_unavailable(await client.get("/api/notes"))
                assert time.monotonic() - started < GIVEN_UP_WITHIN
            finally:
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
        assert (await client.get("/api/notes")).status_code == 200


@pytest.mark.parametrize("name", ["notes-service", "agent-service", "nats", "postgres"])
async def test_a_killed_part_is_reported_at_once_and_comes_back(system: System, name: str) -> None:
    path = "/api/conversations" if name == "agent-service" else "/api/notes"
    async with signed_up(system.url) as client:
        old = system.pids()[name]
        os.kill(old, signal.SIGKILL)
        started = time.monotonic()
        answer = await client.get(path)
        assert time.monotonic() - started < GIVEN_UP_WITHIN
        if answer.status_code != 200:
            assert_unavailable(answer)
        await system.wait_ready(replacing={name: old})
        await until(f"an answer from {path}", lambda: _answers(client, path))


async def test_a_run_whose_agent_is_killed_still_ends_once(scripted_system: System, model: ModelServer) -> None:
    system = scripted_system
    model.default = story = OpenAnswer(ending=" The end.")
    async with signed_up(system.url) as client:
        run = await start_run(client, "Tell a long story")
        reading = asyncio.create_task(read_run(client, run["run_id"]))
        await until("a request to the model", lambda: _requested(model, 1))
        old = system.pids()["agent-service"]
        os.kill(old, signal.SIGKILL)
        await until("a second request to the model", lambda: _requested(model, 2))
        story.finish()
        events = await reading
        assert_whole(events)
        assert [event.event for event in events].count("restart") == 1
        assert data(events[-1])["status"] == "completed"
        await system.wait_ready(replacing={"agent-service": old})


async def _requested(model: ModelServer, times: int) -> bool:
    return len(model.requests) == times


async def _answers(client: httpx.AsyncClient, path: str) -> bool:
    answer = await client.get(path)
    if answer.status_code != 200:
        assert_unavailable(answer)
    return answer.status_code == 200


def _children(pid: int) -> list[int]:
    return [child.pid for child in psutil.Process(pid).children()]
