"""`notes`: create, get, list, search and patch over HTTP: requests a second of eight clients, and the time that one
client waits. Beside it one FastAPI process with asyncpg and the same tables, in a database of its own on the same
server (`bench/reference/notes_server.py`)."""

import argparse
import asyncio
import json
import random
import subprocess
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from statistics import median
from urllib.parse import urlsplit
from uuid import uuid4

from bench.harness.application import Application, postgres_programs
from bench.harness.child import child, module
from bench.harness.context import Bench, Row
from bench.harness.http_client import HttpClient, http_client, repeat
from bench.harness.processes import CpuClock, Processes
from bench.result import Measurement, Target, ratio

CLIENTS = 8
"""One user each."""
NOTES_EACH = 100
BODY_WORDS = 160
VOCABULARY = 2_000
LIST_LIMIT, SEARCH_LIMIT = 50, 20
ALONE_SHARE = 0.4
"""The share of the eight clients' time for which one client alone is measured."""
DATABASE = "bench_reference"
RATE, ADDED = Target("≥", 0.6, 0.8), Target("≤", 1, 0.5)


@dataclass
class Client:
    """One user at one server. `identity`: the header that identifies the user."""

    http: HttpClient
    host: str
    identity: str
    chance: random.Random
    ids: list[str] = field(default_factory=list[str])

    def create(self) -> bytes:
        return self._request("POST", "/api/notes", {"title": self._words(4), "body": self._words(BODY_WORDS)})

    def get(self) -> bytes:
        return self._request("GET", f"/api/notes/{self.chance.choice(self.ids)}")

    def list(self) -> bytes:
        return self._request("GET", f"/api/notes?limit={LIST_LIMIT}")

    def search(self) -> bytes:
        return self._request("GET", f"/api/notes/search?q={self._words(1)}&limit={SEARCH_LIMIT}")

    def patch(self) -> bytes:
        return self._request("PATCH", f"/api/notes/{self.chance.choice(self.ids)}", {"body": self._words(BODY_WORDS)})

    async def fill(self, count: int = NOTES_EACH) -> None:
        for _ in range(count):
            status, body = await self.http.request(self.create())
            if status != 201:
                raise RuntimeError(f"no note was created: {status} {body[:200]!r}")
            self.ids.append(json.loads(body)["id"])

    def _words(self, count: int) -> str:
        """Random words: some are common, most are rare."""
        return " ".join(f"w{int(VOCABULARY ** self.chance.random())}" for _ in range(count))

    def _request(self, method: str, path: str, body: dict[str, str] | None = None) -> bytes:
        content = json.dumps(body).encode() if body else b""
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\n{self.identity}\r\n"
        described = f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n" if body else ""
        return f"{head}{described}\r\n".encode() + content


OPERATIONS: dict[str, Callable[[Client], bytes]] = {
    "create": Client.create,
    "get": Client.get,
    "list": Client.list,
    "search": Client.search,
    "patch": Client.patch,
}


@dataclass(frozen=True)
class Load:
    """Requests per second and milliseconds with eight clients, CPU milliseconds per request by process; `alone`:
    milliseconds with one client."""

    rate: float
    p99: float
    cpu: Mapping[str, float]
    alone: float


async def measure(bench: Bench) -> None:
    application = await bench.application()
    seconds: float = bench.options.notes_seconds
    async with (
        _reference(application) as (reference_url, reference),
        _clients(application.url, await _identities(application)) as ours,
        _clients(reference_url, [f"X-User: {uuid4()}" for _ in range(CLIENTS)]) as theirs,
    ):
        for name, operation in OPERATIONS.items():
            pairs: list[tuple[Load, Load]] = []
            for _ in range(bench.options.rounds):
                mine = await _load(ours, operation, seconds, application.processes)
                pairs.append((mine, await _load(theirs, operation, seconds, reference)))
            bench.add(*_measurements(name, pairs))
            bench.say(_line(name, pairs))


async def _identities(application: Application) -> list[str]:
    return [f"Cookie: {user.cookie}" for user in await application.users(CLIENTS)]


@asynccontextmanager
async def _clients(url: str, identities: Sequence[str]) -> AsyncGenerator[list[Client]]:
    """Connected clients, each with its notes."""
    async with AsyncExitStack() as stack:
        clients = [
            Client(
                await stack.enter_async_context(http_client(url)), urlsplit(url).netloc, identity, random.Random(seed)
            )
            for seed, identity in enumerate(identities)
        ]
        await asyncio.gather(*(client.fill() for client in clients))
        yield clients


@asynccontextmanager
async def _reference(application: Application) -> AsyncGenerator[tuple[str, Processes]]:
    """Runs the reference on a copy of the notes schema without data."""
    await asyncio.to_thread(_copy_schema, application)
    dsn = application.database(DATABASE)
    async with child(*module("bench.reference.notes_server", dsn), speaks=True) as server:
        yield server.first_line, server.processes


def _copy_schema(application: Application) -> None:
    source, target = application.database(), application.database(DATABASE)
    programs = postgres_programs()
    psql = [str(programs / "psql"), "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname"]
    again = f"DROP DATABASE IF EXISTS {DATABASE}"
    for statement in (again, f"CREATE DATABASE {DATABASE}"):
        subprocess.run([*psql, source, "--command", statement], check=True, capture_output=True)
    dump = [str(programs / "pg_dump"), "--schema-only", "--no-owner", "--no-privileges", "--dbname", source]
    schema = subprocess.run([*dump, "--schema", "notes", "--extension", "vector"], check=True, capture_output=True)
    subprocess.run([*psql, target], input=schema.stdout, check=True, capture_output=True)


async def _load(
    clients: Sequence[Client], operation: Callable[[Client], bytes], seconds: float, processes: Processes
) -> Load:
    clock = CpuClock(processes)
    took = await asyncio.gather(*(repeat(one.http, lambda one=one: operation(one), seconds) for one in clients))
    cpu = clock.used()
    every = sorted(milliseconds for one in took for milliseconds in one)
    first = clients[0]
    alone = await repeat(first.http, lambda: operation(first), seconds * ALONE_SHARE)
    return Load(
        rate=len(every) / seconds,
        p99=every[len(every) * 99 // 100],
        cpu={name: used * 1000 / len(every) for name, used in cpu.items()},
        alone=median(alone),
    )


def _measurements(name: str, pairs: Sequence[tuple[Load, Load]]) -> list[Measurement]:
    ours, theirs = [mine for mine, _ in pairs], [reference for _, reference in pairs]
    by_process = {process: median(one.cpu[process] for one in ours) for process in ours[0].cpu}
    beside = {"reference": median(one.alone for one in theirs), "ours": median(one.alone for one in ours)}
    return [
        ratio(
            f"notes.{name}_ratio",
            [one.rate for one in ours],
            [one.rate for one in theirs],
            RATE,
            unit="requests/s",
            cpu_ms_by_process=by_process,
        ),
        Measurement(f"notes.{name}_added_p50", "ms", [mine.alone - one.alone for mine, one in pairs], ADDED, beside),
        Measurement(
            f"notes.{name}_p99",
            "ms",
            [one.p99 for one in ours],
            beside={"reference": median(one.p99 for one in theirs)},
        ),
    ]


def _line(name: str, pairs: Sequence[tuple[Load, Load]]) -> str:
    def middle(value: Callable[[Load], float]) -> tuple[float, float]:
        return median(value(mine) for mine, _ in pairs), median(value(reference) for _, reference in pairs)

    rates, alone = middle(lambda one: one.rate), middle(lambda one: one.alone)
    return (
        f"{name}: {rates[0]:,.0f} requests/s (reference {rates[1]:,.0f}), alone {alone[0]:.1f} ms (reference "
        f"{alone[1]:.1f})"
    )


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--notes-seconds", type=float, default=1.2, metavar="S", help="of each operation and round")


ROW = Row("notes", "Requests for notes, beside one FastAPI process with asyncpg", measure, 150, _options)
