"""`chats`: crowds that send at once, 200 tokens each at 50 tokens/s, through the whole application. Beside it the floor
(`bench/reference/floor.py`) and the model server read directly, in the same rounds.

Latency of a token: its text is the time at which the model server sent it, on the machine's monotonic clock. "Added" is
the percentile through Inkstream minus the same percentile of the same load read directly.
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.harness import sse
from bench.harness.context import Bench, Row, numbers
from bench.harness.processes import CpuClock, Processes
from bench.reference.floor import floor
from bench.result import Measurement, Target, ratio

TOKENS = 200
TOKENS_PER_SECOND = 50
MESSAGE = f"{TOKENS} tokens at {TOKENS_PER_SECOND} per second"
REST_SECONDS = 0.5
"""The pause between two crowds, so that the end of one is not counted with the next."""
LEAST_ADDED_MS = 0.1
"""Smaller differences are noise, and a ratio of two of them would be meaningless."""

CPU_RATIO = {50: Target("≤", 1.5, 1.2), 10: Target("≤", None, 1.5), 1: Target("≤", None, 1.5)}
FIRST_TOKEN = {50: Target("≤", 300, 100), 10: Target("≤", 100, 50), 1: Target("≤", 30, 20)}
ADDED_P99 = {50: Target("≤", 5, 2)}


@dataclass(frozen=True)
class Crowd:
    """Milliseconds; `cpu`: seconds per 1,000 tokens by process, empty for the model server."""

    first_token: float
    p50: float
    p99: float
    cpu: Mapping[str, float]

    @property
    def cpu_sum(self) -> float:
        return sum(self.cpu.values())


@dataclass(frozen=True)
class Round:
    ours: Crowd
    floor: Crowd
    direct: Crowd


async def measure(bench: Bench) -> None:
    counts: tuple[int, ...] = bench.options.chats
    application = await bench.application()
    cookies = [user.cookie for user in await application.users(max(counts))]
    async with floor(bench.folder, bench.model_url) as pipeline:

        async def ours(count: int) -> Crowd:
            requests = [sse.post(application.url, "/api/chat", {"message": MESSAGE}, cookie) for cookie in cookies]
            return await crowd(application.url, requests[:count], application.processes)

        async def theirs(count: int) -> Crowd:
            request = sse.post(pipeline.url, "/api/chat", {"message": MESSAGE})
            return await crowd(pipeline.url, [request] * count, *pipeline.processes)

        await asyncio.gather(ours(1), theirs(1))  # warm-up: one-time work is not measured
        for count in counts:
            rounds: list[Round] = []
            for number in range(bench.options.rounds):
                rounds.append(Round(await ours(count), await theirs(count), await direct(bench.model_url, count)))
                bench.say(f"{count} chats, round {number + 1}: {_line(rounds[-1])}")
            bench.add(*_measurements(count, rounds))


async def crowd(url: str, requests: Sequence[bytes], *processes: Processes, direct: bool = False) -> Crowd:
    """Sends all requests at once and reads each response to its end."""
    await asyncio.sleep(REST_SECONDS)
    clock = CpuClock(*processes)
    streams = await sse.read_all(url, requests, direct=direct)
    cpu = clock.used()
    latencies = sorted(latency for stream in streams for latency in stream.latencies)
    if len(latencies) != TOKENS * len(streams):
        raise RuntimeError(f"{len(latencies)} tokens came of {TOKENS * len(streams)}")
    return Crowd(
        first_token=median(stream.first_token - stream.sent for stream in streams) / 1e6,
        p50=latencies[len(latencies) // 2] / 1e6,
        p99=latencies[len(latencies) * 99 // 100] / 1e6,
        cpu={name: seconds / len(latencies) * 1000 for name, seconds in cpu.items()},
    )


async def direct(model_url: str, count: int) -> Crowd:
    body = {"model": "local", "stream": True, "messages": [{"role": "user", "content": MESSAGE}]}
    request = sse.post(model_url, "/v1/chat/completions", body)
    return await crowd(model_url, [request] * count, direct=True)


def _measurements(count: int, rounds: Sequence[Round]) -> list[Measurement]:
    last = "" if count == 50 else f"_{count}"
    names = rounds[0].ours.cpu.keys()
    by_process = {name: median(one.ours.cpu.get(name, 0.0) for one in rounds) for name in names}
    added = [one.ours.p99 - one.direct.p99 for one in rounds]
    floor_added = [max(one.floor.p99 - one.direct.p99, LEAST_ADDED_MS) for one in rounds]
    direct_first = median(one.direct.first_token for one in rounds)
    floor_first = median(one.floor.first_token for one in rounds)
    return [
        ratio(
            f"chats.cpu_ratio{last}",
            [one.ours.cpu_sum for one in rounds],
            [one.floor.cpu_sum for one in rounds],
            CPU_RATIO.get(count),
        ),
        Measurement(
            f"chats.cpu{last}",
            "CPU s per 1,000 tokens",
            [one.ours.cpu_sum for one in rounds],
            beside={"floor": median(one.floor.cpu_sum for one in rounds), "by_process": by_process},
        ),
        Measurement(
            f"chats.first_token{last}",
            "ms",
            [one.ours.first_token for one in rounds],
            FIRST_TOKEN.get(count),
            {"model_server": direct_first, "floor": floor_first},
        ),
        Measurement(
            f"chats.added_p99{last}",
            "ms",
            added,
            ADDED_P99.get(count),
            {"floor": median(floor_added), "model_server": median(one.direct.p99 for one in rounds)},
        ),
        ratio(f"chats.added_p99_ratio{last}", added, floor_added, Target("≤", 1.5) if count == 50 else None),
        Measurement(
            f"chats.added_p50{last}",
            "ms",
            [one.ours.p50 - one.direct.p50 for one in rounds],
            beside={"floor": median(one.floor.p50 - one.direct.p50 for one in rounds)},
        ),
    ]


def _line(one: Round) -> str:
    return (
        f"CPU {one.ours.cpu_sum:.3f} s per 1,000 tokens (floor {one.floor.cpu_sum:.3f}), "
        f"first token {one.ours.first_token:.0f} ms ({one.floor.first_token:.0f}), "
        f"p99 {one.ours.p99:.1f} ms ({one.floor.p99:.1f}, direct {one.direct.p99:.1f})"
    )


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--chats", type=numbers, default=(50, 10, 1), metavar="N,…", help="sizes of the crowds")


ROW = Row("chats", "Chats at 50 tokens/s, beside the floor", measure, 240, _options)
