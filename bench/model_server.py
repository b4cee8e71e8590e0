"""The local model server as a process of its own: the same answers whether it is read directly or through Inkstream."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


@asynccontextmanager
async def model_server() -> AsyncGenerator[str]:
    """Its base URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.model_server", "--port", "0", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port
