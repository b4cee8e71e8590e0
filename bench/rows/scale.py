"""`scale`: how the cost of an event and of a write grows with ten times as many users, runs, notes, messages of a
conversation and replicas, and with clients that read nothing. Each is the ratio of the large to the small size: 1.0 is
a cost that does not grow."""

import argparse
import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from urllib.parse import urlsplit

import httpx

from bench.harness import sse
from bench.harness.application import NO_LIMITS, Application, User, application
from bench.harness.broker import publisher
from bench.harness.context import Bench, Row
from bench.harness.counters import Crowd, FrameCounter, upgrade
from bench.harness.http_client import http_client, repeat
from bench.harness.processes import CpuClock
from bench.result import Measurement, Target, ratio
from bench.rows.notes import Client
from bench.rows.relay import relayed

TENFOLD = 10
USERS, RUNS, NOTES, TURNS, GATEWAYS = 20, 20, 100, 5, 1
"""The small sizes. A turn is two messages."""
CONVERSATIONS = 4
COUNTED_TURNS = 10
EVENTS_PER_SECOND = 2_000
SECONDS = 2.0
MESSAGE = "3 tokens at 50 per second"
FLAT = Target("≤", 1.2)
STALLED_PADDING = 8_000
"""Characters of an event: so many that a reader that reads nothing exceeds its buffer limit."""


async def measure(bench: Bench) -> None:
    rounds: int = bench.options.scale_rounds
    parts = {"notes": _notes, "users": _users, "messages": _messages, "runs": _runs, "stalled_client": _stalled}
    async with application(bench.folder / "scale", bench.model_url, NO_LIMITS) as one:
        for name, part in parts.items():
            for measured in await part(one, rounds):
                bench.add(measured)
                bench.say(_line(name, measured))
        small = [await _events(one, RUNS) for _ in range(rounds)]
    replicas = {"GATEWAYS": str(GATEWAYS * TENFOLD)}
    async with application(bench.folder / "scale", bench.model_url, NO_LIMITS | replicas) as ten:
        large = [await _events(ten, RUNS) for _ in range(rounds)]
    measured = ratio("scale.replicas_event", large, small, FLAT, unit="CPU µs an event")
    bench.add(measured)
    bench.say(_line("replicas", measured))


async def _users(one: Application, rounds: int) -> list[Measurement]:
    """A write of one user, while other users have a page open."""
    small: list[float] = []
    large: list[float] = []
    users = await one.users(USERS * TENFOLD)
    async with _writer(one, users[0], NOTES) as client:
        for count, costs in ((USERS, small), (USERS * TENFOLD, large)):
            async with _pages(one, users[:count]):
                costs += [await _cost(one, client, Client.patch) for _ in range(rounds)]
    return [ratio("scale.users_write", large, small, FLAT, unit="CPU ms a write")]


async def _notes(one: Application, rounds: int) -> list[Measurement]:
    """A write and a page of the list, for a user with few notes and for one with many."""
    users = (await one.users(USERS + 2))[-2:]  # who have no notes yet
    costs: dict[str, list[float]] = {}
    for user, count in zip(users, (NOTES, NOTES * TENFOLD), strict=True):
        async with _writer(one, user, count) as client:
            costs[f"write {count}"] = [await _cost(one, client, Client.patch) for _ in range(rounds)]
            costs[f"list {count}"] = [await _cost(one, client, Client.list) for _ in range(rounds)]
    return [
        ratio(f"scale.notes_{what}", costs[f"{what} {NOTES * TENFOLD}"], costs[f"{what} {NOTES}"], FLAT, unit="CPU ms")
        for what in ("write", "list")
    ]


async def _messages(one: Application, rounds: int) -> list[Measurement]:
    """An answer in a short conversation, and in one ten times as long."""
    users = await one.users(CONVERSATIONS)
    small: list[float] = []
    large: list[float] = []
    for _ in range(max(1, rounds - 1)):
        async with httpx.AsyncClient(base_url=one.url, timeout=60, verify=False) as http:
            bodies = [{"message": MESSAGE, "conversation_id": await _conversation(http, user)} for user in users]
        requests = [sse.post(one.url, "/api/chat", body, user.cookie) for body, user in zip(bodies, users, strict=True)]
        await _turns(one, requests, TURNS)
        small.append(await _turns(one, requests, COUNTED_TURNS))
        await _turns(one, requests, TURNS * TENFOLD - TURNS - COUNTED_TURNS)
        large.append(await _turns(one, requests, COUNTED_TURNS))
    return [ratio("scale.messages_run", large, small, FLAT, unit="CPU ms a run")]


async def _runs(one: Application, rounds: int) -> list[Measurement]:
    """The same rate of events, of few runs and of many."""
    small = [await _events(one, RUNS) for _ in range(rounds)]
    large = [await _events(one, RUNS * TENFOLD) for _ in range(rounds)]
    return [ratio("scale.runs_event", large, small, FLAT, unit="CPU µs an event")]


async def _stalled(one: Application, rounds: int) -> list[Measurement]:
    """Events to readers, while each run has a second reader that reads nothing."""
    without = [await _events(one, RUNS, padding=STALLED_PADDING) for _ in range(rounds)]
    beside = [await _events(one, RUNS, padding=STALLED_PADDING, stalled=True) for _ in range(rounds)]
    return [ratio("scale.stalled_event", beside, without, FLAT, unit="CPU µs an event")]


async def _events(one: Application, runs: int, *, padding: int = 0, stalled: bool = False) -> float:
    """CPU microseconds per event, of gateways and broker, minus what they use at rest."""
    users = await one.users(USERS)
    rate = EVENTS_PER_SECOND // 2 if padding else EVENTS_PER_SECOND
    clock = CpuClock(one.processes)
    await asyncio.sleep(SECONDS)
    at_rest = {name: used / SECONDS for name, used in clock.used().items()}
    async with publisher(one.broker) as broker:
        measured = await relayed(one, users, broker, runs, rate, SECONDS, padding=padding, stalled=stalled)
    return sum(
        used - at_rest.get(name, 0.0) * 1e6 / rate
        for name, used in measured.cpu.items()
        if name.startswith(("gateway", "nats"))
    )


async def _cost(one: Application, client: Client, operation: Callable[[Client], bytes]) -> float:
    """CPU milliseconds per request, of all processes."""
    clock = CpuClock(one.processes)
    took = await repeat(client.http, lambda: operation(client), SECONDS)
    return clock.total() * 1000 / len(took)


@asynccontextmanager
async def _writer(one: Application, user: User, notes: int) -> AsyncGenerator[Client]:
    """A client of a user with at least `notes` notes."""
    async with http_client(one.url) as http:
        client = Client(http, urlsplit(one.url).netloc, f"Cookie: {user.cookie}", Random(1))
        await client.fill(notes)
        yield client


@asynccontextmanager
async def _pages(one: Application, users: Sequence[User]) -> AsyncGenerator[None]:
    crowd = Crowd(one.url, FrameCounter, greets=True)
    try:
        await crowd.open([upgrade(one.url, "/ws", user.cookie) for user in users])
        yield
    finally:
        crowd.close()


async def _conversation(http: httpx.AsyncClient, user: User) -> str:
    response = await http.post("/api/conversations", json={}, headers={"Cookie": user.cookie})
    response.raise_for_status()
    return response.json()["id"]


async def _turns(one: Application, requests: Sequence[bytes], turns: int) -> float:
    """CPU milliseconds per run, of all processes; the conversations run concurrently."""
    clock = CpuClock(one.processes)

    async def one_after_the_other(request: bytes) -> None:
        for _ in range(turns):
            await sse.read_all(one.url, [request])

    await asyncio.gather(*(one_after_the_other(request) for request in requests))
    return clock.total() * 1000 / (turns * len(requests))


def _line(name: str, measured: Measurement) -> str:
    small, large = measured.beside["reference"], measured.beside["ours"]
    return f"{name}: {large:.1f} against {small:.1f} {measured.beside['unit']}"


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--scale-rounds", type=int, default=2, metavar="N", help="of each size")


ROW = Row("scale", "Costs as everything grows tenfold, beside itself", measure, 240, _options, own_application=True)
