"""Readers of event streams with minimal overhead, so that a crowd of them does not distort the measurement."""

import asyncio
import json
import re
import time
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlsplit

_STAMP = re.compile(rb"\d{12,}")
_HEAD_END = b"\r\n\r\n"


class Stream(asyncio.Protocol):
    """Sends one request and reads the response, an event stream. Times are nanoseconds of the system's monotonic clock.

    `latencies`: of each stamped token, from the model server's send to its arrival here. `done` is set by the event
    `done`, or after `enough` token events.
    """

    def __init__(self, request: bytes, *, direct: bool = False, enough: int | None = None) -> None:
        self.sent = self.first_token = self.last_token = 0
        self.events = 0
        self.words = 0
        self.latencies: list[int] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.began: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._token_event = _model_token if direct else _token
        self._end = b"data: [DONE]" if direct else b"event: done\n"
        self._enough = enough
        self._body = b""
        self._raw = b""
        self._head: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def start(self) -> None:
        self.sent = time.monotonic_ns()
        self._transport.write(self._request)

    def close(self) -> None:
        """Closes the connection."""
        if not self.done.done():
            self.done.set_result(None)
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        raw = self._raw + data
        if self._head is None:
            if _HEAD_END not in raw:
                self._raw = raw
                return
            self._head, raw = raw.split(_HEAD_END, 1)
            if not self._head.startswith(b"HTTP/1.1 200"):
                return self._finish(RuntimeError(f"answered {self._head[:200]!r} {raw[:300]!r}"))
            self.began.set_result(None)
        if (body := self._unchunked(raw)) is None:
            return
        *events, self._body = (self._body + body).split(b"\n\n")
        for event in events:
            self._take(event, now)

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(exc or ConnectionError("closed before the end of the answer"))

    def _unchunked(self, raw: bytes) -> bytes | None:
        """The content of the complete chunks; the rest is buffered."""
        parts: list[bytes] = []
        position = 0
        while (line_end := raw.find(b"\r\n", position)) >= 0:
            start, size = line_end + 2, int(raw[position:line_end], 16)
            if len(raw) < start + size + 2:
                break
            parts.append(raw[start : start + size])
            position = start + size + 2
        self._raw = raw[position:]
        return b"".join(parts) if parts else None

    def _take(self, event: bytes, now: int) -> None:
        if (token := self._token_event(event)) is not None:
            self.first_token = self.first_token or now
            self.last_token = now
            self.events += 1
            self.words += token.count(b"word")
            self.latencies += [now - stamp for stamp in stamps(token)]
            if self.events == self._enough:
                self._finish(None)
        elif b"event: run_error" in event:
            self._finish(RuntimeError(event.decode()))
        elif self._end in event + b"\n":
            self._finish(None)

    def _finish(self, error: Exception | None) -> None:
        for waiting in (self.began, self.done):
            if not waiting.done():
                if error is None:
                    waiting.set_result(None)
                else:
                    waiting.set_exception(error)
                    waiting.exception()  # marks it as retrieved: nobody may be waiting
        self._transport.close()


def stamps(data: bytes) -> list[int]:
    """The timestamps in tokens, in nanoseconds of the monotonic clock."""
    return [int(stamp) for stamp in _STAMP.findall(data)]


def _token(event: bytes) -> bytes | None:
    """The data of a token event of Inkstream; other events repeat the text and are not counted."""
    return event.partition(b"data: ")[2] if b"event: token\n" in event else None


def _model_token(event: bytes) -> bytes | None:
    """The text of a chunk of the model server."""
    before, found, text = event.partition(b'"content":"')
    return text.partition(b'"')[0] or None if found and before.startswith(b"data: ") else None


def post(url: str, path: str, body: dict[str, Any], cookie: str = "") -> bytes:
    """A request in the wire format."""
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nContent-Type: application/json\r\n"
        f"Accept: text/event-stream\r\nCookie: {cookie}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


def get(url: str, path: str, cookie: str = "", last_event_id: str = "") -> bytes:
    resume = f"Last-Event-ID: {last_event_id}\r\n" if last_event_id else ""
    head = f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nAccept: text/event-stream\r\n{resume}"
    return f"{head}Cookie: {cookie}\r\n\r\n".encode()


def host_and_port(url: str) -> tuple[str, int]:
    address = urlsplit(url)
    assert address.hostname and address.port
    return address.hostname, address.port


async def connected(
    url: str, requests: Sequence[bytes], *, direct: bool = False, enough: int | None = None
) -> list[Stream]:
    """Connects a stream for each request, without sending it yet."""
    streams: list[Stream] = []
    for request in requests:
        _, stream = await asyncio.get_running_loop().create_connection(
            lambda request=request: Stream(request, direct=direct, enough=enough), *host_and_port(url)
        )
        streams.append(stream)
    return streams


async def read_all(url: str, requests: Sequence[bytes], *, direct: bool = False) -> list[Stream]:
    """Connects all streams, then sends all requests at once and reads every response to its end."""
    streams = await connected(url, requests, direct=direct)
    for stream in streams:
        stream.start()
    await asyncio.gather(*(stream.done for stream in streams))
    return streams
