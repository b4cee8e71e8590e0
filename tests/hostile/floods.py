"""What one user can do to the others by doing very much of one thing.

`python -m tests.hostile.floods <kind> <url> <size>` floods until its standard input ends: `size` requests at a time,
archives and notes in proportion. It writes a line when the flood is under way, and at the end how many responses there
were of each status. It is a process of its own with little priority: on one machine it must not take from the measured
user what it does not make the services take.
"""

import asyncio
import io
import json
import os
import sys
import zipfile
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import websockets

from standalone.testing import SLOW_SECONDS
from tests.e2e.person import PASSWORD
from tests.hostile.account import ATTACKER, Account, new_account

NICE = 10
FULL, SHORT = 16, 2
"""Sizes."""
BIG_BODY = ("alpha beta gamma delta epsilon zeta eta theta iota kappa " * 2_000)[:100_000]
NOTES_PER_SIZE, ENTRIES_PER_SIZE = 3, 300


@dataclass
class Flood:
    """`outcomes`: how often which status or error came back."""

    account: Account
    size: int
    outcomes: Counter[str] = field(default_factory=Counter[str])

    async def send(self, method: str, path: str, **more: object) -> httpx.Response:
        response = await self.account.http.request(method, path, **more)  # pyright: ignore[reportArgumentType]
        self.outcomes[str(response.status_code)] += 1
        return response

    async def big_notes(self) -> None:
        for number in range(NOTES_PER_SIZE * self.size):
            await self.send("POST", "/api/notes", json={"title": f"Big {number}", "body": BIG_BODY})


async def nothing(_: Flood) -> None:
    """Needs no preparation."""


async def runs(flood: Flood) -> None:
    await flood.send("POST", "/api/runs", json={"message": "Tell me a long story about a lighthouse"})


async def imports(flood: Flood) -> None:
    await flood.send("POST", "/api/notes/import", files={"file": ("many.zip", _archive(ENTRIES_PER_SIZE * flood.size))})


async def search(flood: Flood) -> None:
    await flood.send("GET", "/api/notes/search", params={"q": "alpha beta gamma delta epsilon"})


async def saves(flood: Flood) -> None:
    await flood.send("POST", "/api/notes", json={"title": "Flood", "body": BIG_BODY})


async def sockets(flood: Flood) -> None:
    try:
        async with flood.account.websocket() as socket:
            for _ in range(1_000):
                await socket.send('{"type":"ping"}')
            await asyncio.wait_for(socket.wait_closed(), SLOW_SECONDS)
            flood.outcomes[str(socket.close_code)] += 1
    except (websockets.WebSocketException, OSError) as error:
        flood.outcomes[type(error).__name__] += 1


async def exports(flood: Flood) -> None:
    await flood.send("GET", "/api/notes/export")


async def sign_ins(flood: Flood) -> None:
    """Right passwords: wrong ones would have to wait."""
    await flood.send("POST", "/api/auth/login", json={"username": flood.account.name, "password": PASSWORD})


Step = Callable[[Flood], Awaitable[None]]
FLOODS: dict[str, tuple[Step, Step]] = {
    "runs": (nothing, runs),
    "imports": (nothing, imports),
    "search": (Flood.big_notes, search),
    "saves": (nothing, saves),
    "sockets": (nothing, sockets),
    "exports": (Flood.big_notes, exports),
    "sign-ins": (nothing, sign_ins),
}
"""What comes before, and what is done again and again."""


@asynccontextmanager
async def flooding(kind: str, url: str, size: int) -> AsyncGenerator[None]:
    """The flood is under way while the block runs; afterwards a line says what it got."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.hostile.floods", kind, url, str(size)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=lambda: os.nice(NICE),
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        async with asyncio.timeout(SLOW_SECONDS):
            assert await process.stdout.readline() == b"flooding\n"
        yield
    finally:
        process.stdin.close()
        outcomes = (await process.stdout.read()).decode().strip()
        sys.stdout.write(f"  {kind}: {outcomes}\n")
        await process.wait()


async def main(kind: str, url: str, size: int) -> None:
    before, step = FLOODS[kind]
    async with new_account(url, ATTACKER) as account:
        flood = Flood(account, size)
        await before(flood)
        flood.outcomes.clear()
        under_way = asyncio.Event()

        async def again_and_again() -> None:
            while True:
                try:
                    await step(flood)
                except httpx.TransportError as error:
                    flood.outcomes[type(error).__name__] += 1
                under_way.set()

        tasks = [asyncio.ensure_future(again_and_again()) for _ in range(size)]
        await under_way.wait()
        sys.stdout.write("flooding\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        sys.stdout.write(f"{json.dumps(flood.outcomes)}\n")


def _archive(entries: int) -> bytes:
    """Few notes, and very many files that are none."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for number in range(entries):
            archive.writestr(f"{number}.{'md' if number % 50 == 0 else 'bin'}", b"")
    return sink.getvalue()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
