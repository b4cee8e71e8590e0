"""Simulated users at work while processes die: sets them up, injects the faults, and collects the outcome."""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from standalone.system import System
from tests.chaos.door import signed_up
from tests.chaos.faults import Fault, Strike, strike
from tests.chaos.moments import Moments
from tests.chaos.person import Person
from tests.chaos.reader import Reader
from tests.chaos.troubles import Troubles
from tests.chaos.verdict import END_SECONDS, judge

BREATH = 2.0
"""The maximum pause between two faults, in seconds."""
LAST_EVENT_SECONDS = 0.2
"""How long a dead worker's last event may take to its reader."""


@dataclass(frozen=True)
class Outcome:
    """`longest_pause`: the longest time, in seconds, that a client waited for the next event of a run.
    `takeovers`: seconds from the death of a worker to `restart`, for each run that it had."""

    strikes: list[Strike]
    runs: int
    troubles: Troubles
    longest_pause: float
    takeovers: list[float]
    restarts: int


async def storm(system: System, seed: int, faults: Sequence[Fault], people: int = 4) -> Outcome:
    """The same seed gives the same users and faults; their timing depends on the machine."""
    rng, moments, troubles, over = random.Random(seed), Moments(), Troubles(), asyncio.Event()
    strikes: list[Strike] = []
    async with AsyncExitStack() as stack:
        crowd = [
            Person(
                await stack.enter_async_context(signed_up(system.urls, random.Random(rng.getrandbits(32)), troubles)),
                moments,
                random.Random(rng.getrandbits(32)),
            )
            for _ in range(people)
        ]
        tabs = [asyncio.create_task(tab.listen()) for person in crowd for tab in person.tabs]
        lives = [asyncio.create_task(person.live(over)) for person in crowd]
        try:
            for fault in faults:
                strikes.append(await strike(system, fault, moments, rng))
                await asyncio.sleep(rng.uniform(0, BREATH))
            over.set()
            _, stuck = await asyncio.wait(lives, timeout=END_SECONDS)
            for life in lives:
                if life in stuck:
                    life.cancel()
                elif error := life.exception():
                    raise error
            _note_unfinished(crowd, troubles)
            await judge(system, crowd, troubles)
        finally:
            for task in [*lives, *tabs]:
                task.cancel()
            await asyncio.gather(*lives, *tabs, return_exceptions=True)
    return _outcome(crowd, strikes, troubles)


def _note_unfinished(crowd: list[Person], troubles: Troubles) -> None:
    for person in crowd:
        for ask in person.asks:
            if not all(reader.done for reader in ask.readers):
                received = [len(reader.seen) for reader in ask.readers]
                troubles.add("stuck", f"run {ask.run_id} ({ask.message[:30]}…): no `done` after {received} events")


def _outcome(crowd: list[Person], strikes: list[Strike], troubles: Troubles) -> Outcome:
    asks = [ask for person in crowd for ask in person.asks]
    deaths = [strike.at for strike in strikes if strike.fault.kind == "agent-service"]
    return Outcome(
        strikes,
        runs=len(asks),
        troubles=troubles,
        longest_pause=max((reader.longest_pause() for ask in asks for reader in ask.readers), default=0),
        takeovers=[seconds for ask in asks for seconds in _takeovers(ask.readers[0], deaths)],
        restarts=sum(ask.readers[0].answer.restarts for ask in asks),
    )


def _takeovers(reader: Reader, deaths: list[float]) -> list[float]:
    """Counts a restart if only one worker died since the last event before it: that one had the run."""
    found: list[float] = []
    for before, after in zip(reader.seen, reader.seen[1:], strict=False):
        if after.event == "restart":
            own = [death for death in deaths if before.at - LAST_EVENT_SECONDS <= death < after.at]
            found += [after.at - own[0]] if len(own) == 1 else []
    return found
