"""`relay`: events of 200 runs, 2,000 and 10,000 a second in all, through the broker and one gateway to a reader each:
CPU of the gateway for each event, and the time from publishing to arrival. Beside it one FastAPI process that streams
as many events from memory."""

import argparse
import asyncio
import socket
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from bench.harness import sse
from bench.harness.application import Application, User
from bench.harness.broker import Publisher, publisher
from bench.harness.child import child, module
from bench.harness.context import Bench, Row, numbers
from bench.harness.processes import CpuClock
from bench.harness.run_events import Source, cancel, silent_runs
from bench.result import Measurement, Target, ratio

RUNS = 200
USERS = 50
TICK_SECONDS = 0.001
STALLED_BUFFER = 4096
CPU_RATIO, P99 = Target("≤", 1.3, 1.0), Target("≤", 5, 2)
JUDGED = 10_000
"""The rate for which there are targets."""


@dataclass(frozen=True)
class Relayed:
    """`cpu`: microseconds per event, by process. Latencies in milliseconds."""

    cpu: Mapping[str, float]
    p50: float
    p99: float

    @property
    def gateway(self) -> float:
        return sum(microseconds for name, microseconds in self.cpu.items() if name.startswith("gateway"))


async def measure(bench: Bench) -> None:
    application = await bench.application()
    users = await application.users(USERS)
    async with (
        publisher(application.broker) as broker,
        child(*module("bench.reference.memory_stream"), speaks=True) as one,
    ):
        for rate in bench.options.relay:
            ours: list[Relayed] = []
            theirs: list[Relayed] = []
            for _ in range(bench.options.rounds):
                ours.append(await relayed(application, users, broker, RUNS, rate, bench.options.relay_seconds))
                clock = CpuClock(one.processes)
                theirs.append(await _from_memory(one.first_line, clock, rate, bench.options.relay_seconds))
                bench.say(
                    f"{rate:,} events/s: gateway {ours[-1].gateway:.0f} µs an event, p99 {ours[-1].p99:.1f} ms "
                    f"(from memory {sum(theirs[-1].cpu.values()):.0f} µs, {theirs[-1].p99:.1f} ms)"
                )
            bench.add(*_measurements(rate, ours, theirs))


async def relayed(
    application: Application,
    users: Sequence[User],
    broker: Publisher,
    count: int,
    rate: int,
    seconds: float,
    *,
    padding: int = 0,
    stalled: bool = False,
) -> Relayed:
    """`rate` events per second, distributed among `count` runs with one reader each. `padding`: characters of each
    event. `stalled`: each run has a second reader, which reads nothing."""
    runs = await silent_runs(application, users, count)
    each = round(rate * seconds / count)
    requests = [sse.get(application.url, f"/api/runs/{run_id}/events", user.cookie) for user, run_id in runs]
    with _take_nothing(application.url, requests if stalled else []):
        streams = await sse.connected(application.url, requests, enough=each)
        for stream in streams:
            stream.start()
        await asyncio.gather(*(stream.began for stream in streams))
        sources = [Source(user.id, run_id, broker) for user, run_id in runs]
        await asyncio.sleep(0.5)  # the readers have read the log
        clock = CpuClock(application.processes)
        await _publish(broker, sources, each, rate, "x" * padding)
        await asyncio.gather(*(stream.done for stream in streams))
        cpu = {name: used * 1e6 / (each * count) for name, used in clock.used().items()}
    await cancel(application, runs)
    return _figures(streams, cpu)


@contextmanager
def _take_nothing(url: str, requests: Sequence[bytes]) -> Generator[None]:
    """Opens connections that never read."""
    opened: list[socket.socket] = []
    try:
        for request in requests:
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, STALLED_BUFFER)
            opened.append(connection)
            connection.connect(sse.host_and_port(url))
            connection.sendall(request)
        yield
    finally:
        for connection in opened:
            connection.close()


async def _publish(broker: Publisher, sources: Sequence[Source], each: int, rate: int, more: str) -> None:
    """At an even pace: the n-th event is due after n/rate seconds, and the runs take turns."""
    began, sent, total = time.perf_counter(), 0, each * len(sources)
    while sent < total:
        due = min(total, int((time.perf_counter() - began) * rate) + 1)
        messages: list[bytes] = []
        while sent < due:
            messages.append(sources[sent % len(sources)].token(f" {time.monotonic_ns()} {more}"))
            sent += 1
        if messages:
            broker.publish(b"".join(messages))
        await asyncio.sleep(TICK_SECONDS)


async def _from_memory(url: str, clock: CpuClock, rate: int, seconds: float) -> Relayed:
    each = round(rate * seconds / RUNS)
    request = sse.get(url, f"/events?count={each}&rate={rate / RUNS}")
    streams = await sse.read_all(url, [request] * RUNS)
    return _figures(streams, {name: used * 1e6 / (each * RUNS) for name, used in clock.used().items()})


def _figures(streams: Sequence[sse.Stream], cpu: Mapping[str, float]) -> Relayed:
    latencies = sorted(latency for stream in streams for latency in stream.latencies)
    return Relayed(cpu, latencies[len(latencies) // 2] / 1e6, latencies[len(latencies) * 99 // 100] / 1e6)


def _measurements(rate: int, ours: Sequence[Relayed], theirs: Sequence[Relayed]) -> list[Measurement]:
    last, judged = ("", True) if rate == JUDGED else (f"_{rate}", False)
    by_process = {name: median(one.cpu[name] for one in ours) for name in ours[0].cpu}
    return [
        ratio(
            f"relay.cpu_ratio{last}",
            [one.gateway for one in ours],
            [sum(one.cpu.values()) for one in theirs],
            CPU_RATIO if judged else None,
            unit="µs an event",
            by_process=by_process,
        ),
        Measurement(
            f"relay.p99{last}",
            "ms",
            [one.p99 for one in ours],
            P99 if judged else None,
            {"from_memory": median(one.p99 for one in theirs), "p50": median(one.p50 for one in ours)},
        ),
    ]


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--relay", type=numbers, default=(2_000, JUDGED), metavar="N,…", help="events a second")
    parser.add_argument("--relay-seconds", type=float, default=3, metavar="S", help="of each round")


ROW = Row("relay", "Events through broker and gateway, beside streaming from memory", measure, 150, _options)
