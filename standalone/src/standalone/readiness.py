"""How the supervisor sees that a program does its work."""

import asyncio
import time
from pathlib import Path

FRESH_SECONDS = 10.0
"""`servicekit.health.STALE_SECONDS`, not imported: it would cost the supervisor a third of its memory."""

PROBE_SECONDS = 3.0


def is_fresh(file: Path) -> bool:
    """Whether a service touched its health file lately."""
    try:
        return time.time() - file.stat().st_mtime < FRESH_SECONDS
    except FileNotFoundError:
        return False


async def greets(port: int) -> bool:
    """Whether NATS is there: it listens only once its streams are loaded. Raises `OSError` while nobody listens."""
    async with asyncio.timeout(PROBE_SECONDS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            return (await reader.readline()).startswith(b"INFO ")
        finally:
            writer.close()


async def get(host: str, port: int, path: str) -> tuple[int, bytes]:
    """Status and body of a small answer; status 0 when it is none. Raises `OSError` while nobody listens."""
    async with asyncio.timeout(PROBE_SECONDS):
        reader, writer = await asyncio.open_connection(host, port)
        try:
            writer.write(f"GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\nAccept: */*\r\n\r\n".encode())
            head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
        finally:
            writer.close()
    parts = head.split(maxsplit=2)
    return (int(parts[1]) if len(parts) > 1 else 0), body
