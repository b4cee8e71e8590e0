"""uvicorn with three changes: it handles no signals, ends streams before it waits for them, and lets a response abort
its connection.

The only file that uses undocumented parts of uvicorn: docs/adr/0012-private-parts-behind-adapters.md says what breaks
when they change and which test notices.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.settings import Settings
from servicekit.errors import Unreachable

GRACE_SECONDS = 4
"""How long requests in progress may take once the process is to stop."""
WS_MAX_BYTES = 64 * 1024
"""Clients send pings only."""


class HttpProtocol(HttpToolsProtocol):
    def on_message_begin(self) -> None:
        super().on_message_begin()
        scope: Any = self.scope
        scope["extensions"] = {"inkstream.abort": self.transport.abort}


class WebSocketProtocol(WebSocketsSansIOProtocol):
    async def run_asgi(self) -> None:
        scope: Any = self.scope
        scope["extensions"]["inkstream.abort"] = self.transport.abort
        await super().run_asgi()


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_stop = on_stop
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield  # servicekit.process handles signals

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_stop()
        await super().shutdown(sockets)


@contextlib.asynccontextmanager
async def listening(app: FastAPI, settings: Settings, on_stop: Callable[[], None]) -> AsyncGenerator[int]:
    """Serves inside the block; yields the port. Raises `Unreachable` when it is taken."""
    for name in ("uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).setLevel(logging.WARNING)
    config = uvicorn.Config(
        app,
        http=HttpProtocol,
        ws=WebSocketProtocol,
        ws_max_size=WS_MAX_BYTES,
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,
    )
    bound = _bind(settings.host, settings.port)
    server = Server(config, on_stop)
    serving = asyncio.ensure_future(server.serve(sockets=[bound]))
    try:
        await server.listening.wait()
        yield int(bound.getsockname()[1])
    finally:
        server.should_exit = True
        await serving


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise Unreachable(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return bound
