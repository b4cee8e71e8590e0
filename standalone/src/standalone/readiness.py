"""The supervisor's readiness probes."""

import asyncio
import time
from pathlib import Path

FRESH_SECONDS = 10.0
"""The value of `servicekit.health.STALE_SECONDS`; importing it would add a third to the supervisor's memory."""

PROBE_SECONDS = 3.0


def is_fresh(file: Path) -> bool:
    """Whether a service has touched its health file recently."""
    try:
        return time.time() - file.stat().st_mtime < FRESH_SECONDS
    except FileNotFoundError:
        return False


async def greets(port: int) -> bool:
    """Whether NATS sends its greeting: it listens only once its streams are loaded. Raises `OSError` before that."""
    async with asyncio.timeout(PROBE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            return (await reader.readline()).startswith(b"INFO ")
        finally:
            writer.close()


async def get(host: str, port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a small response; status 0 if it is not HTTP. Raises `OSError` while nothing listens."""
    async with asyncio.timeout(PROBE_SECONDS):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\nAccept: */*\r\n\r\n".encode())
            head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
        finally:
            writer.close()
    parts = head.split(maxsplit=2)
    return (int(parts[1]) if len(parts) > 1 else 0), body
