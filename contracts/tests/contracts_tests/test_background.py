"""Work beside a block: it is over when the block is, whatever it does about being cancelled."""

import asyncio
from contextlib import suppress

import pytest
from contracts.background import in_background
from structlog.testing import capture_logs

from contracts import background


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

    async with asyncio.timeout(30), in_background(deaf()):
        await begun.wait()
    assert seen == ["missed", "ended"]


async def test_a_failure_is_told_and_stops_nobody_else() -> None:
    failed, went_on = asyncio.Event(), asyncio.Event()

    async def broken() -> None:
        failed.set()
        raise RuntimeError("a mistake")

    async def other() -> None:
        await failed.wait()
        went_on.set()

    with capture_logs() as logs:
        async with asyncio.timeout(30), in_background(broken(), other()):
            await went_on.wait()
    assert [(entry["event"], str(entry["exc_info"])) for entry in logs] == [("background work failed", "a mistake")]
