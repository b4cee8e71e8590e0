"""What every HTTP request meets first: the size of its body, where it comes from, and safe headers on its answer."""

import time
from collections.abc import Mapping
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.errors import DomainError, Forbidden, Internal, PayloadTooLarge
from gateway.metrics import Metrics
from gateway.problems import problem

log = structlog.stdlib.get_logger()

MAX_BODY_BYTES = 2 * 1024 * 1024
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
API_HEADERS = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store"}
"""For answers that say nothing else themselves."""


class EdgeMiddleware:
    """ASGI middleware, around everything else. Errors that nobody expected are logged here and answered as such."""

    def __init__(self, app: ASGIApp, metrics: Metrics, larger: Mapping[str, int]) -> None:
        """`larger`: how many bytes the bodies of some paths may have."""
        self.app = app
        self.metrics = metrics
        self.larger = larger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _RequestCycle(self, scope, receive, send).go()
        else:
            await self.app(scope, receive, send)


class _RequestCycle:
    def __init__(self, door: EdgeMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
        self.app = door.app
        self.metrics = door.metrics
        self.limit = door.larger.get(scope["path"], MAX_BODY_BYTES)
        self.scope = scope
        self._receive = receive
        self._send = send
        self.started = False
        self.received = 0
        self.began = time.perf_counter()

    async def go(self) -> None:
        try:
            self._admit(Headers(scope=self.scope))
            await self.app(self.scope, self.receive, self.send)
        except DomainError as error:
            await problem(error)(self.scope, self._receive, self.send)
        except Exception:
            log.exception("request failed", method=self.scope["method"], path=self.scope["path"])
            if self.started:
                raise  # half an answer cannot be mended: the server cuts the connection
            await problem(Internal())(self.scope, self._receive, self.send)

    def _admit(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self.limit:
            raise PayloadTooLarge
        if self.scope["method"] not in SAFE_METHODS and not is_own_origin(headers):
            raise Forbidden("This request came from another site.")

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.received += len(message["body"])
            if self.received > self.limit:
                raise HTTPException(PayloadTooLarge.status)  # the one error that the framework lets through here
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self._finish_headers(message)
            self._count(message["status"])
        await self._send(message)

    def _finish_headers(self, message: Message) -> None:
        headers = MutableHeaders(raw=message["headers"])
        for name, value in HEADERS.items():
            headers[name] = value
        for name, value in API_HEADERS.items():
            headers.setdefault(name, value)

    def _count(self, status: int) -> None:
        route = getattr(self.scope.get("route"), "path", "none")
        self.metrics.requests.labels(self.scope["method"], route, status).inc()
        self.metrics.durations.labels(self.scope["method"], route).observe(time.perf_counter() - self.began)


def is_own_origin(headers: Headers) -> bool:
    """Whether a request comes from our own page or from no page at all. Browsers say; programs need not."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
