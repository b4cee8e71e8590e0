"""A minimal system with the parts of Inkstream: PostgreSQL on an application's own files, NATS with JetStream, and one
FastAPI process with a connection pool, all started concurrently."""

import asyncio
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.harness.child import child, module
from bench.harness.processes import Processes
from bench.reference.nats_server import nats_server
from standalone.ports import free_port
from standalone.postgres import Postgres


@asynccontextmanager
async def stack(data_dir: Path) -> AsyncGenerator[Sequence[Processes]]:
    """Runs, ready, inside the block. The application that uses this folder must not be running."""
    postgres = Postgres(data_dir / "postgres", free_port())
    server = module("bench.reference.notes_server", postgres.dsn("notes"))
    async with AsyncExitStack() as opened:
        database = await opened.enter_async_context(child(*postgres.command(), end=signal.SIGINT))
        (_, broker), web = await asyncio.gather(
            opened.enter_async_context(nats_server(data_dir / "stack")),
            opened.enter_async_context(child(*server, speaks=True)),
        )
        yield [database.processes, broker.processes, web.processes]
