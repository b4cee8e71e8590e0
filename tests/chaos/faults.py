"""Faults: which process is killed, at which moment, by which signal."""

import asyncio
import os
import random
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from signal import SIGCONT, SIGKILL, SIGSTOP, Signals

from standalone.system import System
from tests.chaos.moments import MOMENTS, Moment, Moments

KINDS = ("agent-service", "gateway", "notes-service", "nats", "postgres")
BACK_SECONDS = 120.0
FROZEN_SECONDS = 14.0
"""Longer than a worker's lease: when it continues, another worker has taken over its runs."""
SOON, LATEST = 0.03, 0.4
"""The range of a fault's delay after its moment, in seconds."""


@dataclass(frozen=True)
class Fault:
    """`delay`: seconds after its moment. `signal` SIGSTOP freezes the process for 14 s. `replica` counts from 1; None:
    any of them."""

    kind: str
    moment: Moment
    delay: float
    signal: Signals = SIGKILL
    replica: int | None = None


@dataclass(frozen=True)
class Strike:
    """A fault that was executed. Times are of `time.monotonic`."""

    fault: Fault
    name: str
    at: float
    back_at: float


def schedule(rng: random.Random, kinds: Sequence[str], each: int) -> list[Fault]:
    """`each` faults of every kind in random order. Most delays are short: critical moments are close together."""
    kills = [kind for kind in kinds for _ in range(each)]
    rng.shuffle(kills)
    return [
        Fault(kind, rng.choice(MOMENTS), rng.choice([0.0, rng.uniform(0, SOON), rng.uniform(0, LATEST)]))
        for kind in kills
    ]


async def strike(system: System, fault: Fault, moments: Moments, rng: random.Random) -> Strike:
    """Executes a fault; returns when everything works again. Raises `CannotStart` if it does not within two minutes."""
    await moments.next(fault.moment)
    await asyncio.sleep(fault.delay)
    pids = system.pids()
    names = sorted(name for name in pids if re.fullmatch(rf"{fault.kind}(-\d+)?", name))
    name = rng.choice(names) if fault.replica is None else names[fault.replica - 1]
    os.kill(pids[name], fault.signal)
    at = time.monotonic()
    if fault.signal is SIGSTOP:
        await asyncio.sleep(FROZEN_SECONDS)
        os.kill(pids[name], SIGCONT)
    else:
        await system.wait_ready(BACK_SECONDS, replacing={name: pids[name]})
    return Strike(fault, name, at, time.monotonic())
