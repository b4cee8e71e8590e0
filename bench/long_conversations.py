"""`python -m bench.long_conversations`: what a conversation of 20, 200 and 2,000 messages costs: GET of its newest part
and of the whole, the first token of the next answer, the page's memory, and the time until its end is seen.

On a system of its own with a model server that answers at once, and Chromium. The sizes take turns in each round, so
that what else the machine does falls on all of them: compare the columns, not the figures with those of another day.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import httpx
from playwright.async_api import Browser, async_playwright

from standalone.system import System, running
from tests.conftest import FIND_CHROMIUM, FLAGS
from tests.e2e.client import signed_up
from tests.long_conversation import store_conversation
from tests.model_server import ModelServer, Text

SIZES = (20, 200, 2_000)
ROUNDS = 12
PAGE_ROUNDS = 3
PAGE = 60

Measure = Callable[[str], Awaitable[float]]


async def milliseconds(work: Awaitable[object]) -> float:
    began = time.perf_counter()
    await work
    return (time.perf_counter() - began) * 1000


async def first_token(client: httpx.AsyncClient, conversation_id: str) -> float:
    """Milliseconds from the request to the first token. The answer becomes a part of the conversation."""
    began = time.perf_counter()
    body = {"message": "And now?", "conversation_id": conversation_id}
    found = 0.0
    async with client.stream("POST", "/api/chat", json=body) as answer:
        answer.raise_for_status()
        async for line in answer.aiter_lines():
            if not found and line.startswith("event: token"):
                found = (time.perf_counter() - began) * 1000
    return found


async def look(browser: Browser, url: str, cookies: httpx.Cookies, conversation_id: str) -> tuple[float, float]:
    """Milliseconds until the end is seen, and MiB of the page's JavaScript heap after a collection."""
    context = await browser.new_context()
    await context.add_cookies([{"name": name, "value": value, "url": url} for name, value in cookies.items()])
    page = await context.new_page()
    began = time.perf_counter()
    await page.goto(f"{url}/?chat={conversation_id}")
    await page.get_by_role("log", name="Conversation").get_by_role("article").last.wait_for()
    seen = (time.perf_counter() - began) * 1000
    session = await context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    heap = (await session.send("Runtime.getHeapUsage"))["usedSize"] / 2**20
    await context.close()
    return seen, heap


async def measure(system: System, browser: Browser) -> dict[str, list[float]]:
    """By row, the medians for each size."""
    async with signed_up(system.url) as client:
        user = (await client.get("/api/auth/me")).json()["user"]
        stored = [await store_conversation(system.postgres.dsn("chat"), user["id"], size // 2) for size in SIZES]
        talks = [conversation_id for conversation_id, _ in stored]

        def get(query: str) -> Measure:
            return lambda talk: milliseconds(client.get(f"/api/conversations/{talk}{query}"))

        rows: dict[str, Measure] = {
            f"GET of the newest {PAGE} messages, ms": get(f"?limit={PAGE}"),
            "GET of all messages, ms": get(""),
            "first token of the next answer, ms": lambda talk: first_token(client, talk),
        }
        found: dict[str, list[list[float]]] = {row: [[] for _ in SIZES] for row in rows}
        for _ in range(ROUNDS):
            for row, work in rows.items():
                for place, talk in enumerate(talks):
                    found[row][place].append(await work(talk))
        seen: list[list[float]] = [[] for _ in SIZES]
        heaps: list[list[float]] = [[] for _ in SIZES]
        for _ in range(PAGE_ROUNDS):
            for place, talk in enumerate(talks):
                milliseconds_seen, heap = await look(browser, system.url, client.cookies, talk)
                seen[place].append(milliseconds_seen)
                heaps[place].append(heap)
    found |= {"page: its end is seen after, ms": seen, "page: JavaScript heap, MiB": heaps}
    return {row: [median(of_size) for of_size in sizes] for row, sizes in found.items()}


async def main() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, str(FIND_CHROMIUM), stdout=asyncio.subprocess.PIPE)
    path = (await process.communicate())[0].decode().strip()
    async with ModelServer(default=Text("It goes on.")) as model, async_playwright() as playwright:
        environment = {"OPENAI_BASE_URL": model.base_url, "INKSTREAM_MODEL": "local", "OPENAI_API_KEY": "sk-x"}
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            async with running(data_dir=Path(folder), environment=environment) as system:
                browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
                rows = await measure(system, browser)
                await browser.close()
    print("| messages |", *(f"{size:,} |" for size in SIZES))
    print("|---|", *("---|" for _ in SIZES))
    for row, figures in rows.items():
        print(f"| {row} |", *(f"{figure:.1f} |" for figure in figures))


if __name__ == "__main__":
    asyncio.run(main())
