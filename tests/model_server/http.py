"""Minimal HTTP/1.1 for the server: requests with a JSON body, responses with JSON or a chunked event stream."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

BODY_MAX_BYTES = 64 * 1024 * 1024

_REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error"}


@dataclass(frozen=True)
class Request:
    """Header names are in lower case. `json` is empty if the body is."""

    method: str
    path: str
    headers: dict[str, str]
    json: dict[str, Any]


class Connection(asyncio.StreamReaderProtocol):
    """A connection that detects when its client disconnects, without reading ahead of the next request."""

    def __init__(self, connected: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]) -> None:
        self.left = asyncio.Event()
        super().__init__(asyncio.StreamReader(), connected)

    def eof_received(self) -> bool | None:
        self.left.set()
        return super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self.left.set()
        super().connection_lost(exc)


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request of a connection; None if the client has closed it."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(min(int(headers.get("content-length", "0")), BODY_MAX_BYTES))
    return Request(method, path, headers, json.loads(body) if body else {})


def json_answer(status: int, value: dict[str, Any], **headers: str) -> bytes:
    body = json.dumps(value).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return _head(status, {"content-type": "application/json", "content-length": str(len(body)), **named}) + body


def stream_head(status: int = 200, content_type: str = "text/event-stream; charset=utf-8") -> bytes:
    return _head(
        status,
        {
            "content-type": content_type,
            "cache-control": "no-cache",
            "transfer-encoding": "chunked",
        },
    )


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def _head(status: int, headers: dict[str, str]) -> bytes:
    lines = [
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Status')}",
        *(f"{name}: {text}" for name, text in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
