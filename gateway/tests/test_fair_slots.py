"""Who gets the slots for costly work."""

import asyncio

import pytest

from contracts.errors import RateLimited, ServiceUnavailable
from gateway.accounts.fair_slots import FairSlots


class Work:
    """Takes slots, notes who got one, and gives them back one by one."""

    def __init__(self, slots: FairSlots) -> None:
        self.slots = slots
        self.got: list[str] = []
        self.go_on = asyncio.Semaphore(0)

    async def take(self, key: str) -> None:
        async with self.slots.slot(key):
            self.got.append(key)
            await self.go_on.acquire()


async def settled() -> None:
    """All tasks have come to where they wait."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_keys_take_turns_however_many_one_has_waiting() -> None:
    work = Work(FairSlots(1, waiting_per_key=10, waiting=100))
    tasks = [asyncio.ensure_future(work.take(key)) for key in "aaaabbc"]
    for _ in tasks:
        await settled()
        work.go_on.release()
    await asyncio.gather(*tasks)
    assert "".join(work.got) == "aabcaba"


async def test_who_gives_up_takes_no_turn() -> None:
    work = Work(FairSlots(1, waiting_per_key=10, waiting=100))
    tasks = [asyncio.ensure_future(work.take(key)) for key in "aaab"]
    await settled()
    tasks[1].cancel()
    tasks[2].cancel()
    work.go_on.release()
    work.go_on.release()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert work.got == ["a", "b"]
    assert tasks[1].cancelled()
    async with asyncio.timeout(1), work.slots.slot("c"):
        pass


async def test_a_turn_that_comes_while_one_gives_up_is_passed_on() -> None:
    work = Work(FairSlots(1, waiting_per_key=10, waiting=100))
    tasks = [asyncio.ensure_future(work.take(key)) for key in "ab"]
    await settled()
    work.go_on.release()
    await asyncio.sleep(0)  # `a` has woken up and released the slot to `b`, who has not woken up yet
    tasks[1].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(1), work.slots.slot("c"):
        pass


async def test_those_who_wait_are_bounded_for_each_key_and_in_all() -> None:
    work = Work(FairSlots(1, waiting_per_key=2, waiting=3))
    tasks = [asyncio.ensure_future(work.take(key)) for key in "aaab"]
    await settled()
    with pytest.raises(RateLimited):
        await work.take("a")
    with pytest.raises(ServiceUnavailable):
        await work.take("c")
    for _ in tasks:
        work.go_on.release()
    await asyncio.gather(*tasks)
