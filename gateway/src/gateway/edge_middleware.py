"""ASGI middleware around everything: host names, cross-site requests, requests of one address, body limits, security
headers, metrics, unexpected errors."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.errors import DomainError, Forbidden, Internal, PayloadTooLarge, RateLimited
from gateway.allowed_hosts import host_names, is_allowed
from gateway.connections import AddressLimit
from gateway.direct_connection import connection_of
from gateway.metrics import Metrics
from gateway.problems import problem

log = structlog.stdlib.get_logger()

MAX_BODY_BYTES = 2 * 1024 * 1024
PATH_LOGGED = 200
"""Characters of a path that a line of the log has: anybody may ask for any path."""
MAX_DIGITS = 15
"""Of a body's length, without leading zeros; Python refuses to read thousands of them."""
LINGER_SECONDS, LINGER_BYTES = 5.0, 4 * 1024 * 1024
"""How much of a body that nobody wants is dropped after the response, and for how long. A connection that is closed
while the client sends loses the response."""
BUSY_SECONDS = 5
MAX_HOST_SHOWN = 100
ANY_HOST = frozenset({"/healthz", "/readyz", "/metrics"})
"""For what watches this process, under any name; nothing of a user is here."""
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

    def __init__(
        self, app: ASGIApp, metrics: Metrics, in_progress: AddressLimit, public_url: str, body_limits: Mapping[str, int]
    ) -> None:
        """`in_progress` counts requests and WebSockets by the client's address. `body_limits`: by path, how many bytes
        a body may have where that is not `MAX_BODY_BYTES`; a path that ends with a slash is for all that are one name
        longer."""
        self.app = app
        self.metrics = metrics
        self.in_progress = in_progress
        self.public_names = host_names(public_url)
        self.body_limits = body_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        address = scope["client"][0] if scope["client"] else "unknown"
        entered = self.in_progress.enter(address)
        try:
            if scope["type"] == "http":
                await _RequestCycle(self, scope, receive, send).run(allowed=entered)
            elif entered and self.names_us(Headers(scope=scope), scope["path"]):
                await self.app(scope, receive, send)
            else:
                await send({"type": "websocket.close"})  # answered as 403
        finally:
            if entered:
                connection_of(scope).when_released(partial(self.in_progress.leave, address))

    def body_limit(self, path: str) -> int:
        folder = f"{path.rpartition('/')[0]}/"
        return self.body_limits.get(path) or self.body_limits.get(folder, MAX_BODY_BYTES)

    def names_us(self, headers: Headers, path: str) -> bool:
        hosts = headers.getlist("host")
        return path in ANY_HOST or (len(hosts) == 1 and is_allowed(hosts[0], self.public_names))


class _RequestCycle:
    def __init__(self, middleware: EdgeMiddleware, scope: Scope, receive: Receive, send: Send) -> None:
        self.middleware = middleware
        self.metrics = middleware.metrics
        self.limit = middleware.body_limit(scope["path"])
        self.scope = scope
        self._receive = receive
        self._send = send
        self.response_started = False
        self.received = 0
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0").lstrip("0")
        self.body_complete = not length and "transfer-encoding" not in headers
        self.started_at = time.perf_counter()

    async def run(self, *, allowed: bool) -> None:
        """`allowed`: whether this client may have one more request in progress."""
        try:
            if not allowed:
                raise RateLimited("Too many requests at the same time.", retry_after=BUSY_SECONDS)  # noqa: TRY301
            self._check(Headers(scope=self.scope))
            await self.middleware.app(self.scope, self.receive, self.send)
        except ClientDisconnect:
            return  # while its body was read; nobody is left to answer
        except DomainError as error:
            await problem(error)(self.scope, self._receive, self.send)
        except Exception:
            log.exception("request failed", method=self.scope["method"], path=self.scope["path"][:PATH_LOGGED])
            if self.response_started:
                raise  # the response has begun: all the server can do is to close the connection
            await problem(Internal())(self.scope, self._receive, self.send)

    def _check(self, headers: Headers) -> None:
        if not self.middleware.names_us(headers, self.scope["path"]):
            host = headers.get("host", "")[:MAX_HOST_SHOWN]
            raise Forbidden(
                f"This server does not answer to the name {host!r}: set INKSTREAM_PUBLIC_URL to its address."
            )
        length = headers.get("content-length", "0").lstrip("0")
        if length.isdecimal() and (len(length) > MAX_DIGITS or int(length) > self.limit):
            raise PayloadTooLarge
        if self.scope["method"] not in SAFE_METHODS and not is_own_origin(headers):
            raise Forbidden("This request came from another site.")

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.body_complete = not message.get("more_body", False)
            self.received += len(message["body"])
            if self.received > self.limit:
                raise HTTPException(PayloadTooLarge.status)  # FastAPI turns other errors in reading a body into 400
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.response_started = True
            self._add_headers(message)
            self._count(message["status"])
        elif not self.body_complete and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._drop_rest_of_body()
            message = {"type": "http.response.body"}
        await self._send(message)

    async def _drop_rest_of_body(self) -> None:
        dropped = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while dropped < LINGER_BYTES:
                    message = await self._receive()
                    if not message.get("more_body", False):
                        return
                    dropped += len(message["body"])

    def _add_headers(self, message: Message) -> None:
        headers = MutableHeaders(raw=message["headers"])
        for name, value in HEADERS.items():
            headers[name] = value
        for name, value in API_HEADERS.items():
            headers.setdefault(name, value)
        if not self.body_complete:
            headers["Connection"] = "close"

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
