"""A reader of one event stream that costs next to nothing, so that 50 of them do not measure themselves."""

import asyncio
import json
import re
import time
from urllib.parse import urlsplit

_STAMP = re.compile(rb"\d{12,}")
_HEAD_END = b"\r\n\r\n"


class Stream(asyncio.Protocol):
    """Sends one request and takes the answer apart. Times are nanoseconds of the system's monotonic clock.

    `latencies`: of each stamped token, from the model server's send to the arrival here.
    """

    def __init__(self, request: bytes, *, through: bool) -> None:
        self.sent = self.first_token = self.last_token = 0
        self.words = 0
        self.latencies: list[int] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._token_event = _through_token if through else _direct_token
        self._end = b"event: done\n" if through else b"data: [DONE]"
        self._body = b""
        self._raw = b""
        self._head: bytes | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def start(self) -> None:
        self.sent = time.monotonic_ns()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self._raw += data
        if self._head is None:
            if _HEAD_END not in self._raw:
                return
            self._head, self._raw = self._raw.split(_HEAD_END, 1)
            if not self._head.startswith(b"HTTP/1.1 200"):
                self._finish(RuntimeError(f"answered {self._head[:200]!r} {self._raw[:300]!r}"))
                return
        self._unchunk()
        *events, self._body = self._body.split(b"\n\n")
        for event in events:
            self._take(event, now)

    def connection_lost(self, exc: Exception | None) -> None:
        self._finish(exc or ConnectionError("closed before the end of the answer"))

    def _unchunk(self) -> None:
        while (line_end := self._raw.find(b"\r\n")) >= 0:
            size = int(self._raw[:line_end], 16)
            if len(self._raw) < line_end + 4 + size:
                return
            self._body += self._raw[line_end + 2 : line_end + 2 + size]
            self._raw = self._raw[line_end + 4 + size :]

    def _take(self, event: bytes, now: int) -> None:
        if (token := self._token_event(event)) is not None:
            self.first_token = self.first_token or now
            self.last_token = now
            self.words += token.count(b"word")
            self.latencies += [now - int(stamp) for stamp in _STAMP.findall(token)]
        elif b"event: run_error" in event:
            self._finish(RuntimeError(event.decode()))
        elif self._end in event + b"\n":
            self._finish(None)

    def _finish(self, error: Exception | None) -> None:
        if not self.done.done():
            if error is None:
                self.done.set_result(None)
            else:
                self.done.set_exception(error)
        self._transport.close()


def _through_token(event: bytes) -> bytes | None:
    """The text of a token event of Inkstream; the other events repeat it and do not count."""
    return event.partition(b"data: ")[2] if b"event: token\n" in event else None


def _direct_token(event: bytes) -> bytes | None:
    """The text of a chunk of the model server."""
    before, found, text = event.partition(b'"content":"')
    return text.partition(b'"')[0] or None if found and before.startswith(b"data: ") else None


async def read_all(url: str, path: str, bodies: list[dict[str, object]], cookies: list[str]) -> list[Stream]:
    """Connects everybody first, then sends all requests at once and reads every answer to its end."""
    address = urlsplit(url)
    assert address.hostname and address.port
    through = path == "/api/chat"
    streams: list[Stream] = []
    for body, cookie in zip(bodies, cookies, strict=True):
        request = _request(address.netloc, path, body, cookie)
        _, stream = await asyncio.get_running_loop().create_connection(
            lambda request=request: Stream(request, through=through), address.hostname, address.port
        )
        streams.append(stream)
    for stream in streams:
        stream.start()
    await asyncio.gather(*(stream.done for stream in streams))
    return streams


def _request(host: str, path: str, body: dict[str, object], cookie: str) -> bytes:
    content = json.dumps(body).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n"
        f"Cookie: {cookie}\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content
