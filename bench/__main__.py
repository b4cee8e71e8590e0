"""`python -m bench`: measures the whole application, started by `make run`, beside the model server read directly.

Latency: every token's text is the time at which the model server sent it, so what a token needed is known when it
arrives; what is added is the difference to the same percentile of the same load read directly.
"""

import asyncio
import os
import platform
import tempfile
from pathlib import Path
from statistics import median

from bench import chats, full_speed, table
from bench.application import Application, application
from bench.model_server import model_server

CHATS = (1, 10, 50)
ROUNDS = 3
"""The crowd of 50 is measured this often; the round with the median first token counts."""
LIMIT_SECONDS = 300.0


async def main() -> None:
    print(f"{os.cpu_count()} CPUs, {platform.machine()}, Python {platform.python_version()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="inkstream-bench-") as folder:
        async with asyncio.timeout(LIMIT_SECONDS), model_server() as model_url:
            data_dir = Path(folder) / "data"
            async with application(data_dir, model_url) as started:
                print(f"first start with an empty data folder: {started.seconds_to_page:.1f} s", flush=True)
            async with application(data_dir, model_url) as started:
                await measure(started, model_url)


async def measure(started: Application, model_url: str) -> None:
    print("signing up 50 users …", flush=True)
    cookies = await started.sign_up(max(CHATS))
    await chats.through(started, cookies[:1])
    memory = started.processes.memory_mib()
    print(table.by_process("\nidle memory, MiB", memory))
    rows = [(count, await _crowd(started, cookies[:count]), await chats.direct(model_url, count)) for count in CHATS]
    print("\n" + table.chats(rows))
    _, crowd, crowd_direct = rows[-1]
    print("\n" + table.by_process("CPU seconds per 1,000 tokens, 50 chats", crowd.cpu))
    speed, speed_direct = await full_speed.through(started, cookies[0]), await full_speed.direct(model_url)
    print(f"one stream at full speed: {speed:,.0f} tokens/s; read directly {speed_direct:,.0f}")
    print(table.by_process("memory after the load, MiB", started.processes.memory_mib()))
    figures = [
        (table.FIRST_TOKEN, crowd.first_token),
        (table.LATENCY, crowd.latency_p99 - crowd_direct.latency_p99),
        (table.CPU, sum(crowd.cpu.values())),
        (table.FULL_SPEED, speed),
        (table.MEMORY, sum(memory.values())),
        (table.WARM_START, started.seconds_to_page),
    ]
    print("\n" + table.compared(figures))
    print("others: Open WebUI 0.12.4 / Chainlit 2.12.0, on 2 cores with the same kind of model server")


async def _crowd(started: Application, cookies: list[str]) -> chats.Figures:
    rounds = [await chats.through(started, cookies) for _ in range(ROUNDS if len(cookies) == max(CHATS) else 1)]
    middle = median(figures.first_token for figures in rounds)
    return next(figures for figures in rounds if figures.first_token == middle)


if __name__ == "__main__":
    asyncio.run(main())
