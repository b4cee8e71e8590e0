"""Background loops: they end with their block, and a failing loop is reported."""

import asyncio
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from nats.errors import TimeoutError as NatsTimeoutError
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from contracts.errors import ServiceUnavailable
from servicekit import background, health
from servicekit.background import (
    MAX_FAILURES,
    LoopFailing,
    LoopHealth,
    attempt,
    in_background,
    is_outage,
    repeat,
)
from standalone.testing import SLOW_SECONDS


async def _for_ever(begun: asyncio.Event, seen: list[str]) -> None:
    begun.set()
    try:
        await asyncio.Event().wait()
    finally:
        seen.append("ended")


async def test_it_is_over_when_the_block_is() -> None:
    seen: list[str] = []
    one, another = asyncio.Event(), asyncio.Event()
    async with in_background(_for_ever(one, seen), _for_ever(another, seen)):
        await one.wait()
        await another.wait()
        assert seen == []
    assert seen == ["ended", "ended"]


async def test_one_that_misses_its_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "CANCEL_AGAIN_SECONDS", 0.01)
    begun, seen = asyncio.Event(), list[str]()

    async def deaf() -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        seen.append("missed")
        await _for_ever(begun, seen)

    async with asyncio.timeout(SLOW_SECONDS), in_background(deaf()):
        await begun.wait()
    assert seen == ["missed", "ended"]


async def test_a_failure_is_logged_and_stops_no_other_loop() -> None:
    failed, went_on = asyncio.Event(), asyncio.Event()

    async def broken() -> None:
        failed.set()
        raise RuntimeError("a mistake")

    async def other() -> None:
        await failed.wait()
        went_on.set()

    with capture_logs() as logs:
        async with asyncio.timeout(SLOW_SECONDS), in_background(broken(), other()):
            await went_on.wait()
    assert [(entry["event"], str(entry["exc_info"])) for entry in logs] == [("background work ended", "a mistake")]


def _failures(registry: CollectorRegistry, loop: str) -> float:
    return registry.get_sample_value("inkstream_background_failures_total", {"loop": loop}) or 0.0


async def test_a_bug_in_a_loop_is_logged_counted_and_fails_readiness() -> None:
    registry = CollectorRegistry()
    health, turns = LoopHealth(registry), asyncio.Queue[int]()

    async def broken() -> None:
        turns.put_nowait(1)
        raise KeyError("a bug")

    with capture_logs() as logs:
        async with asyncio.timeout(SLOW_SECONDS), in_background(repeat("broken", broken, 0.001, health)):
            for _ in range(MAX_FAILURES + 1):  # the last one begins after the previous one was counted
                await turns.get()
            with pytest.raises(LoopFailing, match="broken"):
                health.check()
    assert _failures(registry, "broken") >= MAX_FAILURES
    assert {(entry["event"], entry["log_level"], entry["loop"]) for entry in logs} == {
        ("background work failed", "error", "broken")
    }
    assert all(entry["exc_info"] for entry in logs)


@pytest.mark.parametrize("error", [NatsTimeoutError(), ConnectionRefusedError(), TimeoutError(), ServiceUnavailable()])
async def test_an_outage_is_a_warning_and_leaves_the_process_ready(error: Exception) -> None:
    registry = CollectorRegistry()
    health = LoopHealth(registry)

    async def away() -> None:
        raise error

    with capture_logs() as logs:
        for _ in range(MAX_FAILURES):
            assert not await attempt("away", away, health)
    health.check()
    assert _failures(registry, "away") == 0
    assert [entry["log_level"] for entry in logs] == ["warning"] * MAX_FAILURES


async def test_an_argument_that_the_database_cannot_take_is_a_bug() -> None:
    assert not is_outage(asyncpg.DataError("invalid input for query argument"))
    assert is_outage(asyncpg.InterfaceError("connection is closed"))


async def test_a_loop_that_recovers_is_ready_again() -> None:
    health = LoopHealth()

    async def work() -> None:
        return None

    for _ in range(MAX_FAILURES):
        health.failed("loop")
    with pytest.raises(LoopFailing):
        health.check()
    assert await attempt("loop", work, health)
    health.check()


async def test_a_loop_that_is_woken_does_not_wait_for_its_pause() -> None:
    turns, wake = asyncio.Queue[int](), asyncio.Event()

    async def work() -> None:
        turns.put_nowait(1)

    async with asyncio.timeout(SLOW_SECONDS), in_background(repeat("woken", work, 3600, LoopHealth(), wake=wake)):
        await turns.get()
        wake.set()
        await turns.get()


async def test_the_heartbeat_stops_while_a_loop_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "HEARTBEAT_SECONDS", 0.001)
    loops, file, probed = LoopHealth(), tmp_path / "healthy", asyncio.Queue[int]()

    async def probe() -> None:
        probed.put_nowait(1)

    async with asyncio.timeout(SLOW_SECONDS), in_background(health.heartbeat(file, probe, loops)):
        while not file.exists():
            await probed.get()
        for _ in range(MAX_FAILURES):
            loops.failed("loop")
        await probed.get()
        await probed.get()  # a touch that was in progress has finished
        file.unlink(missing_ok=True)
        await probed.get()
        await probed.get()
        assert not file.exists()
