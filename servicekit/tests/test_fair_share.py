"""Places for the work of many users: bounded, and shared."""

import asyncio
import random
from collections import Counter

import pytest

from contracts.errors import RateLimited, ServiceUnavailable
from servicekit.fair_share import FairShare


class Work:
    """Pieces of work that go on until they are told to end."""

    def __init__(self, share: FairShare) -> None:
        self.share = share
        self.begun: list[str] = []
        self.ends: dict[str, list[asyncio.Event]] = {}
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self, *users: str) -> None:
        for user in users:
            self.tasks.append(asyncio.create_task(self._run(user)))
        await self.settle()

    async def _run(self, user: str) -> None:
        async with self.share.place(user):
            self.begun.append(user)
            end = asyncio.Event()
            self.ends.setdefault(user, []).append(end)
            await end.wait()

    async def end_one(self, user: str) -> None:
        self.ends[user].pop(0).set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


async def test_a_newcomer_is_next_however_many_wait() -> None:
    work = Work(FairShare(total=2, per_user=2))
    await work.start(*["ada"] * 50)
    await work.start("bob")
    assert work.begun == ["ada", "ada"]
    await work.end_one("ada")
    assert work.begun == ["ada", "ada", "bob"]
    await work.start(*["eve"] * 3)
    await work.end_one("bob")
    assert work.begun[3:] == ["eve"]
    for task in work.tasks:
        task.cancel()
    await asyncio.gather(*work.tasks, return_exceptions=True)
    await work.start("zoe")
    assert work.begun[-1] == "zoe"  # whoever gave up took no place along


async def test_one_user_never_has_all_places() -> None:
    work = Work(FairShare(total=4, per_user=3))
    await work.start(*["ada"] * 9)
    assert work.begun == ["ada"] * 3
    await work.start("bob")
    assert work.begun == [*["ada"] * 3, "bob"]
    for task in work.tasks:
        task.cancel()
    await asyncio.gather(*work.tasks, return_exceptions=True)


async def test_a_place_is_free_again_after_an_error_and_a_cancellation() -> None:
    share = FairShare(total=1, per_user=1)
    with pytest.raises(ValueError, match="x"):
        async with share.place("ada"):
            raise ValueError("x")
    async with share.place("ada"):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), share.place("bob"):
                pass
    async with asyncio.timeout(10), share.place("bob"):
        pass


async def test_users_take_turns_however_many_one_has_waiting() -> None:
    work = Work(FairShare(total=1, per_user=1))
    await work.start(*"aaaabbc")
    for place in range(7):
        await work.end_one(work.begun[place])
    assert "".join(work.begun) == "aabcaba"


async def test_who_gives_up_takes_no_turn() -> None:
    work = Work(FairShare(total=1, per_user=1, waiting_per_user=2, waiting=4))
    await work.start(*"aaab")
    for task in work.tasks[1:3]:
        task.cancel()
    await work.settle()
    assert all(task.cancelled() for task in work.tasks[1:3])
    await work.start(*"aa")  # there is room again for those who wait
    for user in "abaa":
        await work.end_one(user)
    await asyncio.gather(*work.tasks, return_exceptions=True)
    assert sorted(work.begun) == [*"aaab"]


async def test_a_place_that_comes_while_one_gives_up_is_passed_on() -> None:
    work = Work(FairShare(total=1, per_user=1))
    await work.start(*"ab")
    work.ends["a"].pop().set()
    await asyncio.sleep(0)  # `a` has left its place to `b`, who has not woken up yet
    work.tasks[1].cancel()
    await asyncio.gather(*work.tasks, return_exceptions=True)
    async with asyncio.timeout(10), work.share.place("c"):
        pass


async def test_those_who_wait_are_bounded_for_each_user_and_in_all() -> None:
    work = Work(FairShare(total=1, per_user=1, waiting_per_user=2, waiting=3))
    await work.start(*"aaab")
    with pytest.raises(RateLimited):
        async with work.share.place("a"):
            pass
    with pytest.raises(ServiceUnavailable):
        async with work.share.place("c"):
            pass
    for place in range(4):
        await work.end_one(work.begun[place])
    await asyncio.gather(*work.tasks)


async def test_there_is_room_to_wait_for_a_newcomer() -> None:
    work = Work(FairShare(total=1, per_user=1, waiting=8))
    for user, may_wait in (("a", 4), ("b", 2), ("c", 1)):
        await work.start(*[user] * (may_wait + (user == "a")))  # one of them is under way
        with pytest.raises(RateLimited):
            async with work.share.place(user):
                pass
    await work.start("d")
    with pytest.raises(ServiceUnavailable):
        async with work.share.place("e"):
            pass
    assert not any(task.done() for task in work.tasks)
    for task in work.tasks:
        task.cancel()
    await asyncio.gather(*work.tasks, return_exceptions=True)


@pytest.mark.parametrize("seed", range(20))
async def test_any_order_keeps_the_bounds_and_ends(seed: int) -> None:
    """Also where some are cancelled while they wait, or at the moment at which they are given a place."""
    dice = random.Random(seed)
    share, under_way, most = FairShare(total=3, per_user=2), Counter[str](), 0

    async def work(user: str) -> None:
        nonlocal most
        async with share.place(user):
            under_way[user] += 1
            most = max(most, under_way.total())
            assert under_way[user] <= 2
            try:
                for _ in range(dice.randrange(4)):
                    await asyncio.sleep(0)
            finally:
                under_way[user] -= 1

    tasks: list[asyncio.Task[None]] = []
    for _ in range(300):
        tasks.append(asyncio.create_task(work(dice.choice("abcd"))))
        if dice.random() < 0.3:
            dice.choice(tasks).cancel()
        if dice.random() < 0.4:
            await asyncio.sleep(0)
    async with asyncio.timeout(60):
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert most == 3
    assert not [result for result in results if isinstance(result, AssertionError)]
    async with asyncio.timeout(10), share.place("a"), share.place("b"), share.place("c"):
        pass
