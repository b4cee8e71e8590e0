"""Chats started at once at 50 tokens/s: send → first token, latency of each token, CPU, beside the direct stream."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.application import Application
from bench.stream import Stream, read_all

TOKENS = 200
TOKENS_PER_SECOND = 50
MESSAGE = f"{TOKENS} tokens at {TOKENS_PER_SECOND} per second"


@dataclass(frozen=True)
class Figures:
    """Milliseconds; `cpu`: seconds per 1,000 tokens by process, empty for the direct stream."""

    first_token: float
    latency_p50: float
    latency_p99: float
    cpu: Mapping[str, float]


async def through(application: Application, cookies: Sequence[str]) -> Figures:
    """One chat of each user, all at once, through the whole application."""
    bodies: list[dict[str, object]] = [{"message": MESSAGE} for _ in cookies]
    before = application.processes.cpu_seconds()
    streams = await read_all(application.url, "/api/chat", bodies, list(cookies))
    after = application.processes.cpu_seconds()
    return _figures(streams, {name: seconds - before.get(name, 0) for name, seconds in after.items()})


async def direct(model_url: str, chats: int) -> Figures:
    """The same streams read from the model server itself."""
    body: dict[str, object] = {"model": "local", "stream": True, "messages": [{"role": "user", "content": MESSAGE}]}
    streams = await read_all(model_url, "/v1/chat/completions", [body] * chats, [""] * chats)
    return _figures(streams, {})


def _figures(streams: list[Stream], cpu: Mapping[str, float]) -> Figures:
    latencies = sorted(latency for stream in streams for latency in stream.latencies)
    if len(latencies) != TOKENS * len(streams):
        raise RuntimeError(f"{len(latencies)} tokens came of {TOKENS * len(streams)}")
    return Figures(
        first_token=median(stream.first_token - stream.sent for stream in streams) / 1e6,
        latency_p50=latencies[len(latencies) // 2] / 1e6,
        latency_p99=latencies[len(latencies) * 99 // 100] / 1e6,
        cpu={name: seconds / len(latencies) * 1000 for name, seconds in cpu.items()},
    )
