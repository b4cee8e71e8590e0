"""ASGI middleware around everything: body limits, cross-site requests, security headers, metrics, unexpected errors."""

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
PATH_LOGGED = 200
"""Characters of a path that a line of the log has: anybody may ask for any path."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
API_HEADERS = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store"}
"""Defaults for responses that do not set these themselves."""


class EdgeMiddleware:
    """Unexpected errors are logged here with their traceback and answered as `internal`."""

    def __init__(self, app: ASGIApp, metrics: Metrics, body_limits: Mapping[str, int]) -> None:
        """`body_limits`: by path, how many bytes a body may have where that is not `MAX_BODY_BYTES`."""
        self.app = app
        self.metrics = metrics
        self.body_limits = body_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _RequestCycle(self, scope, receive, send).run()
        else:
            await self.app(scope, receive, send)


class _RequestCycle:
    def __init__(self, middleware: EdgeMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
        self.app = middleware.app
        self.metrics = middleware.metrics
        self.limit = middleware.body_limits.get(scope["path"], MAX_BODY_BYTES)
        self.scope = scope
        self._receive = receive
        self._send = send
        self.response_started = False
        self.received = 0
        self.started_at = time.perf_counter()

    async def run(self) -> None:
        try:
            self._check(Headers(scope=self.scope))
            await self.app(self.scope, self.receive, self.send)
        except DomainError as error:
            await problem(error)(self.scope, self._receive, self.send)
        except Exception:
            log.exception("request failed", method=self.scope["method"], path=self.scope["path"][:PATH_LOGGED])
            if self.response_started:
                raise  # the response has begun: all the server can do is to close the connection
            await problem(Internal())(self.scope, self._receive, self.send)

    def _check(self, headers: Headers) -> None:
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
                raise HTTPException(PayloadTooLarge.status)  # FastAPI turns other errors in reading a body into 400
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.response_started = True
            self._add_headers(message)
            self._count(message["status"])
        await self._send(message)

    def _add_headers(self, message: Message) -> None:
        headers = MutableHeaders(raw=message["headers"])
        for name, value in HEADERS.items():
            headers[name] = value
        for name, value in API_HEADERS.items():
            headers.setdefault(name, value)

    def _count(self, status: int) -> None:
        route = getattr(self.scope.get("route"), "path", "none")
        self.metrics.requests.labels(self.scope["method"], route, status).inc()
        self.metrics.durations.labels(self.scope["method"], route).observe(time.perf_counter() - self.started_at)


def is_own_origin(headers: Headers) -> bool:
    """Whether a request comes from our own page or from no page at all. Browsers send these headers."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is None or urlsplit(origin).netloc == headers.get("host")
