"""`start`: the time from `make run` to the first complete page with every dependency ready, and what the system uses
while idle. Beside it a minimal system with the same parts: PostgreSQL, NATS and one FastAPI process."""

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from statistics import median

from bench.harness.application import application
from bench.harness.context import Bench, Row
from bench.harness.processes import CpuClock, Processes
from bench.reference.stack import stack
from bench.result import Measurement, Target, ratio

SETTLE_SECONDS = 3.0
WARM_START, MEMORY, IDLE_CPU = Target("≤", 2), Target("≤", 300, 250), Target("≤", 2)


async def measure(bench: Bench) -> None:
    data_dir = bench.folder / "start"
    ours: list[float] = []
    theirs: list[float] = []
    memory: Mapping[str, float] = {}
    stack_memory: Mapping[str, float] = {}
    idle = stack_idle = 0.0
    async with application(data_dir, bench.model_url) as started:
        first = started.seconds_to_page
    for last in (number == bench.options.rounds - 1 for number in range(bench.options.rounds)):
        began = time.monotonic()
        async with stack(data_dir) as processes:
            theirs.append(time.monotonic() - began)
            if last:
                stack_memory, stack_idle = await _at_rest(processes, bench.options.idle_seconds)
        async with application(data_dir, bench.model_url) as started:
            ours.append(started.seconds_to_page)
            if last:
                memory, idle = await _at_rest([started.processes], bench.options.idle_seconds)
        bench.say(f"warm start {ours[-1]:.1f} s (PostgreSQL, NATS and one FastAPI process {theirs[-1]:.1f} s)")
    bench.say(f"idle {sum(memory.values()):.0f} MiB, {idle:.1f} % of a core; first start {first:.1f} s")
    for one in [
        Measurement("start.warm", "s", ours, WARM_START, {"stack": median(theirs), "first_start": first}),
        ratio("start.warm_ratio", ours, theirs, None),
        Measurement(
            "start.memory",
            "MiB",
            [sum(memory.values())],
            MEMORY,
            {"stack": sum(stack_memory.values()), "by_process": memory},
        ),
        Measurement("start.idle_cpu", "% of a core", [idle], IDLE_CPU, {"stack": stack_idle}),
    ]:
        bench.add(one)


async def _at_rest(processes: Sequence[Processes], seconds: float) -> tuple[dict[str, float], float]:
    """Memory in MiB by process, and CPU in percent of one core."""
    await asyncio.sleep(SETTLE_SECONDS)
    clock = CpuClock(*processes)
    await asyncio.sleep(seconds)
    used = clock.total() / seconds * 100
    memory: dict[str, float] = {}
    for one in processes:
        for name, mebibytes in one.memory_mib().items():
            memory[name] = memory.get(name, 0.0) + mebibytes
    return memory, used


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--idle-seconds", type=float, default=10, metavar="S", help="of rest")


ROW = Row("start", "Start and rest, beside PostgreSQL, NATS and one FastAPI process", measure, 180, _options, True)
