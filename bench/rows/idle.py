"""`idle`: 10,000 WebSockets and 5,000 event streams of waiting runs at one gateway at the same time: how long they take
to open, the memory and the CPU that they use while idle, and the memory after they are closed. Beside it bare uvicorn
with as many.
"""

import argparse
import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bench.harness import sse
from bench.harness.application import User
from bench.harness.child import child, module
from bench.harness.context import Bench, Row
from bench.harness.counters import Crowd, EventCounter, FrameCounter, upgrade
from bench.harness.processes import CpuClock, Processes
from bench.harness.run_events import cancel, waiting_runs
from bench.result import Measurement, Target, ratio

USERS = 50
RUNS = 200
"""Waiting runs, among which the streams are distributed."""
SETTLE_SECONDS = 2.0
CLOSED_SECONDS = 5.0
"""The time after closing at which memory is measured."""
MEMORY, OPEN_SOCKETS, OPEN_CPU = Target("≤", 25, 12), Target("≤", 5), Target("≤", 0.5)
MEMORY_AFTER = Target("≤", 1.5)
KIB_PER_MIB = 1024


@dataclass(frozen=True)
class Held:
    """`seconds` and CPU milliseconds per connection opened; KiB per connection; CPU at rest in percent, by process."""

    count: int
    seconds: float
    open_cpu: float
    memory: float
    idle: Mapping[str, float]
    refused: int


class _Server:
    """Processes of which some hold the connections."""

    def __init__(self, processes: Processes, prefix: str = "") -> None:
        self.processes = processes
        self._prefix = prefix

    def memory(self) -> float:
        """In MiB."""
        found = self.processes.memory_mib()
        return sum(mebibytes for name, mebibytes in found.items() if name.startswith(self._prefix))


async def measure(bench: Bench) -> None:
    sockets, streams, rest = bench.options.sockets, bench.options.streams, bench.options.rest_seconds
    application = await bench.application()
    users = await application.users(USERS)
    runs = await waiting_runs(application, users, min(RUNS, streams))
    ours = _Server(application.processes, "gateway")
    await asyncio.sleep(SETTLE_SECONDS)
    before = ours.memory()
    mine = await _held_together(
        ours,
        application.url,
        [upgrade(application.url, "/ws", users[n % USERS].cookie) for n in range(sockets)],
        [
            sse.get(application.url, f"/api/runs/{run_id}/events", user.cookie)
            for user, run_id in _shared(runs, streams)
        ],
        rest,
    )
    after = ours.memory()
    bench.say(_line("WebSockets", mine[0]))
    bench.say(_line("event streams", mine[1]))
    await cancel(application, runs)
    async with child(*module("bench.reference.bare_connections"), speaks=True) as bare:
        url = bare.first_line
        requests = [upgrade(url, "/")] * sockets, [sse.get(url, "/")] * streams
        theirs = await _held_together(_Server(bare.processes), url, *requests, SETTLE_SECONDS)
    for one in [
        *_measurements("sockets", mine[0], theirs[0], OPEN_SOCKETS),
        *_measurements("streams", mine[1], theirs[1], None),
        ratio("idle.memory_after", [after], [before], MEMORY_AFTER, unit="MiB of the gateway"),
    ]:
        bench.add(one)


def _shared(runs: Sequence[tuple[User, str]], count: int) -> list[tuple[User, str]]:
    return [runs[number % len(runs)] for number in range(count)]


def _measurements(name: str, mine: Held, theirs: Held, open_target: Target | None) -> list[Measurement]:
    beside = {"bare_uvicorn": theirs.memory, "held": mine.count, "refused_at_first": mine.refused}
    idle = {"bare_uvicorn": sum(theirs.idle.values()), "by_process": mine.idle}
    return [
        Measurement(f"idle.{name}_memory", "KiB each", [mine.memory], MEMORY, beside),
        Measurement(f"idle.{name}_open", "s", [mine.seconds], open_target, {"bare_uvicorn": theirs.seconds}),
        Measurement(
            f"idle.{name}_open_cpu", "CPU ms each", [mine.open_cpu], OPEN_CPU, {"bare_uvicorn": theirs.open_cpu}
        ),
        Measurement(f"idle.{name}_cpu", "% of a core", [sum(mine.idle.values())], beside=idle),
    ]


async def _held_together(
    server: _Server, url: str, sockets: Sequence[bytes], streams: Sequence[bytes], rest: float
) -> tuple[Held, Held]:
    """Opens WebSockets, then event streams as well, and measures what each kind adds. Closes all of them."""
    crowds = (Crowd(url, FrameCounter, greets=True), Crowd(url, EventCounter, marker=b"event: "))
    try:
        first = await _held(server, crowds[0], sockets, rest)
        second = await _held(server, crowds[1], streams, rest)
    finally:
        for crowd in crowds:
            crowd.close()
    await asyncio.sleep(CLOSED_SECONDS)
    added = {name: max(0.0, used - first.idle.get(name, 0.0)) for name, used in second.idle.items()}
    return first, replace(second, idle=added)


async def _held(server: _Server, crowd: Crowd, requests: Sequence[bytes], rest: float) -> Held:
    """Opens all and measures them at rest. Raises `RuntimeError` if connections are lost meanwhile."""
    clock, began, memory = CpuClock(server.processes), time.monotonic(), server.memory()
    await crowd.open(requests)
    seconds, cpu = time.monotonic() - began, clock.total()
    await asyncio.sleep(SETTLE_SECONDS)
    each = (server.memory() - memory) * KIB_PER_MIB / len(requests)
    clock.restart()
    await asyncio.sleep(rest)
    idle = {name: used / rest * 100 for name, used in clock.used().items()}
    if crowd.lost_readers:
        raise RuntimeError(f"{crowd.lost_readers} of {len(requests)} connections were lost")
    return Held(len(requests), seconds, cpu * 1000 / len(requests), each, idle, crowd.refused)


def _line(what: str, held: Held) -> str:
    opened = f"open in {held.seconds:.1f} s, {held.open_cpu:.2f} ms of CPU each, {held.refused} refused at first"
    at_rest = f"{held.memory:.1f} KiB each, at rest {sum(held.idle.values()):.1f} % of a core"
    return f"{held.count:,} {what}: {opened}; {at_rest}"


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sockets", type=int, default=10_000, metavar="N", help="WebSockets")
    parser.add_argument("--streams", type=int, default=5_000, metavar="N", help="event streams")
    parser.add_argument("--rest-seconds", type=float, default=20, metavar="S", help="how long each are watched at rest")


ROW = Row("idle", "Connections at rest, beside bare uvicorn", measure, 200, _options)
