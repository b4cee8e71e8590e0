"""`run`: the cost of a run apart from its tokens: CPU of all processes for runs of three tokens, several at a time, and
for runs with one tool call. Beside it the floor with the same answers."""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from statistics import median

from bench.harness import sse
from bench.harness.context import Bench, Row
from bench.harness.processes import CpuClock, Processes
from bench.reference.floor import floor
from bench.result import Measurement, Target, ratio

MESSAGE = "3 tokens at 50 per second"
TOOL_MESSAGE = "call list_notes {}"
AT_ONCE = 4
CPU = Target("≤", 15, 10)


async def measure(bench: Bench) -> None:
    application = await bench.application()
    cookies = [user.cookie for user in await application.users(AT_ONCE)]
    count: int = bench.options.runs
    ours: list[Mapping[str, float]] = []
    theirs: list[float] = []
    tools: list[float] = []

    def requests(message: str) -> list[bytes]:
        return [sse.post(application.url, "/api/chat", {"message": message}, cookie) for cookie in cookies]

    async with floor(bench.folder, bench.model_url) as pipeline:
        floor_requests = [sse.post(pipeline.url, "/api/chat", {"message": MESSAGE})] * AT_ONCE
        await runs(application.url, requests(MESSAGE), AT_ONCE, application.processes)  # warm-up
        for _ in range(bench.options.rounds):
            ours.append(await runs(application.url, requests(MESSAGE), count, application.processes))
            theirs.append(sum((await runs(pipeline.url, floor_requests, count, *pipeline.processes)).values()))
            with_tool = await runs(application.url, requests(TOOL_MESSAGE), count // 4, application.processes)
            tools.append(sum(with_tool.values()))
            bench.say(f"{sum(ours[-1].values()):.1f} ms a run (floor {theirs[-1]:.1f}), with a tool {tools[-1]:.1f}")
    sums = [sum(one.values()) for one in ours]
    by_process = {name: median(one.get(name, 0.0) for one in ours) for name in ours[0]}
    for one in [
        Measurement("run.cpu", "CPU ms", sums, CPU, {"floor": median(theirs), "by_process": by_process}),
        ratio("run.cpu_ratio", sums, theirs, None),
        Measurement("run.cpu_with_tool", "CPU ms", tools, beside={"without": median(sums)}),
    ]:
        bench.add(one)


async def runs(url: str, requests: Sequence[bytes], count: int, *processes: Processes) -> dict[str, float]:
    """CPU milliseconds per run by process; each request has one run at a time."""
    clock = CpuClock(*processes)
    share = count // len(requests)

    async def one_after_the_other(request: bytes) -> None:
        for _ in range(share):
            await sse.read_all(url, [request])

    await asyncio.gather(*(one_after_the_other(request) for request in requests))
    return {name: seconds * 1000 / (share * len(requests)) for name, seconds in clock.used().items()}


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", type=int, default=200, metavar="N", help="runs in a round")


ROW = Row("run", "A run of three tokens, beside the floor", measure, 120, _options)
