"""A NATS server with JetStream and nothing else."""

import shutil
import sysconfig
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from bench.harness.broker import Address
from bench.harness.child import Child, child, until_listening
from standalone.ports import free_port


@asynccontextmanager
async def nats_server(folder: Path) -> AsyncGenerator[tuple[Address, Child]]:
    folder.mkdir(parents=True, exist_ok=True)
    program = shutil.which("nats-server", path=sysconfig.get_path("scripts")) or shutil.which("nats-server")
    if program is None:
        raise RuntimeError("there is no nats-server in the virtual environment or on PATH")
    port = free_port()
    async with child(program, "-a", "127.0.0.1", "-p", str(port), "-js", "-sd", folder) as server:
        await until_listening(port, server)
        yield Address(port), server
