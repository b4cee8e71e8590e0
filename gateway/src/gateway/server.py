"""uvicorn with these changes: it handles no signals, ends streams before it waits for them, hands connections over to
streams and sockets that write to them directly, and bounds what a connection may do before and between requests.

The only file that uses undocumented parts of uvicorn: docs/adr/0012-private-parts-behind-adapters.md says what breaks
when they change and which test notices.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncGenerator, Callable, Generator
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import structlog
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from gateway.connections import Connections
from gateway.direct_connection import EXTENSION, Owner, SocketOwner
from gateway.problems import rejected
from gateway.settings import Settings
from servicekit.background import LoopHealth, in_background, repeat
from servicekit.errors import Unreachable

log = structlog.stdlib.get_logger()

GRACE_SECONDS = 4
"""How long requests in progress may take once the process is to stop."""
MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 200
BODY_BYTES_PER_SECOND = 16 * 1024
"""The slowest that a body may come, after the time that every request has."""
STALLED_SECONDS = 60.0
"""How long a client may take less than `STALLED_BYTES` of what waits for it."""
STALLED_BYTES = 16 * 1024
LINGER_SECONDS = 1.0
"""How long what a refused client still sends is read and dropped: closed at once, it would not see the response."""
CHECK_SECONDS = 1.0
STALLED_CLOSE_SECONDS = 2.0
"""How long a WebSocket's client that is behind has for what waits for it and for the close."""
WS_MAX_BYTES = 1024
"""Clients send pings only."""
WS_BURST_BYTES, WS_BYTES_PER_SECOND = 8 * 1024, 1024
"""What a client may send over a WebSocket at once, and in the long run: some 40 pings a second."""
POLICY_VIOLATION = 1008
LAST_CHUNK = b"0\r\n\r\n"
HEAD_TOO_LARGE = "The head of this request is too large."


class _Owned:
    """The part of a `DirectConnection` that knows its owner."""

    __slots__ = ("_on_release", "_owner")

    def __init__(self) -> None:
        self._owner: Owner | None = None
        self._on_release: list[Callable[[], None]] | None = None

    def when_released(self, callback: Callable[[], None]) -> None:
        if self._owner is None:
            callback()
        elif self._on_release is None:
            self._on_release = [callback]
        else:
            self._on_release.append(callback)

    def drained(self) -> None:
        if self._owner is not None:
            self._owner.drained()

    def lost(self) -> None:
        owner = self._owner
        self._release()
        if owner is not None:
            owner.lost()

    def _release(self) -> None:
        self._owner = None
        callbacks, self._on_release = self._on_release, None
        for callback in callbacks or ():
            callback()


class _DirectResponse(_Owned):
    """One response on an HTTP connection. `cycle`: uvicorn's state of it; further requests of the client may be waiting
    on the connection already."""

    __slots__ = ("_cycle", "_protocol", "_transport")

    def __init__(self, protocol: "HttpProtocol", cycle: Any) -> None:
        super().__init__()
        self._protocol = protocol
        self._cycle = cycle
        self._transport = protocol.transport

    def take_over(self, owner: Owner) -> bool:
        """uvicorn is told that the client has left: it then neither writes nor misses the end of the response."""
        cycle = self._cycle
        if cycle.disconnected or self._transport.is_closing():
            return False
        self._owner = owner
        self._protocol.taken_over(self)
        cycle.disconnected = True
        cycle.scope = None  # nobody needs it any more
        return True

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    @property
    def buffered(self) -> int:
        return self._transport.get_write_buffer_size()

    def end(self, code: int = 1000) -> None:
        del code
        self._protocol.taken_over(None)
        self._release()
        self._cycle.response_complete = True
        self._transport.write(LAST_CHUNK)
        if self._cycle.keep_alive:
            self._protocol.on_response_complete()
        else:
            self._transport.close()

    def abort(self) -> None:
        self._release()
        self._transport.abort()


class HttpProtocol(HttpToolsProtocol):
    """Every state of a request is bounded.

    - Awaited (`_awaited_since` is set): its head or body is not complete. It has `request_timeout_s`, and more as its
      body comes.
    - In progress: the application has it, for as long as it likes, or the owner of the response that it has begun.
    - Neither: the connection rests, for which uvicorn has a time-out.

    The parser keeps what it has of a line until the line ends. `_undelivered` counts the bytes since it last passed on
    a whole head, a part of a body or the end of a message, which bounds what it can hold.
    """

    def __init__(self, limits: Connections, **uvicorn_arguments: Any) -> None:
        super().__init__(**uvicorn_arguments)
        self._limits = limits
        self._peer: str | None = None  # while it is counted
        self._refused_at: float | None = None
        self._awaited_since: float | None = None
        self._undelivered = 0
        self._head_complete = False
        self._head_bytes = 0
        self._head_lines = 0
        self._body_bytes = 0
        self._waiting: tuple[float, int] | None = None  # since when so many bytes have waited for the client
        self._taken_over: _DirectResponse | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        self._awaited_since = self.loop.time()
        peer = self.client[0] if self.client else "unknown"
        if self._limits.admit(peer, transport.get_extra_info("socket").fileno()):
            self._peer = peer
        else:
            self._refuse(503, "There are too many connections.")
            transport.close()  # at once: the descriptors are what is short

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self._peer is not None:
            self._limits.release(self._peer)
            self._peer = None
        if self._taken_over is not None:
            self._taken_over.lost()

    def taken_over(self, response: "_DirectResponse | None") -> None:
        """Which response is written by its owner, not by the application; None: none any more."""
        self._taken_over = response

    def data_received(self, data: bytes) -> None:
        if self._refused_at is not None:
            return
        if self._awaited_since is None and not self._in_progress():
            self._awaited_since = self.loop.time()
        self._undelivered += len(data)
        super().data_received(data)
        if self._undelivered > MAX_HEAD_BYTES:
            self._refuse(431, HEAD_TOO_LARGE)

    def handle_websocket_upgrade(self) -> None:
        if self._refused_at is not None:
            return
        super().handle_websocket_upgrade()
        protocol: Any = self.transport.get_protocol()
        if self._peer is not None:
            protocol.on_lost = partial(self._limits.release, self._peer)
            self._peer = None

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_complete = False
        self._head_bytes = self._head_lines = self._body_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Also called for the trailers of a chunked body, which are dropped."""
        self._head_lines += 1
        self._count_head(len(name) + len(value))
        if self._refused_at is None and not self._head_complete:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._undelivered = 0
        self._head_complete = True
        if self._refused_at is None:
            scope: Any = self.scope
            super().on_headers_complete()
            scope["extensions"] = {EXTENSION: _DirectResponse(self, self.cycle)}

    def on_body(self, body: bytes) -> None:
        self._undelivered = 0
        self._body_bytes += len(body)
        if self._refused_at is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._undelivered = 0
        self._awaited_since = None
        if self._refused_at is None:
            super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._waiting = self.loop.time(), self.transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._waiting = None
        if self._taken_over is not None:
            self._taken_over.drained()

    def close_if_overdue(self) -> None:
        """Ends the connection where one of its times is over. Called every `CHECK_SECONDS`."""
        now = self.loop.time()
        if self._refused_at is not None and now - self._refused_at > LINGER_SECONDS:
            return self.transport.close() if not self.transport.is_closing() else self.transport.abort()
        if self._awaited_since is not None and not self.flow.read_paused and not self.transport.is_closing():
            allowed = self._limits.request_timeout_s + self._body_bytes / BODY_BYTES_PER_SECOND
            if now - self._awaited_since > allowed:
                return self._refuse(408, "The request did not come in time.")
        waiting = self.transport.get_write_buffer_size()
        if self._waiting is None:
            if self.transport.is_closing():  # the client may never take the last bytes
                self._waiting = now, waiting
        elif now - self._waiting[0] > STALLED_SECONDS:
            if waiting > self._waiting[1] - STALLED_BYTES:
                return self.transport.abort()
            self._waiting = now, waiting

    def _count_head(self, size: int) -> None:
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES or self._head_lines > MAX_HEADERS:
            self._refuse(431, HEAD_TOO_LARGE)

    def _in_progress(self) -> bool:
        """Whether the application has a request of this connection."""
        cycle: Any = self.cycle
        return cycle is not None and not cycle.response_complete

    def _refuse(self, status: int, detail: str) -> None:
        """Ends the connection, with a response where that can still be understood."""
        if self._refused_at is not None:
            return
        self._refused_at = self.loop.time()
        cycle: Any = self.cycle
        if self._in_progress():
            if cycle.response_started:
                return self.transport.abort()
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.write(_response(status, detail))
        self.transport.write_eof()


def _response(status: int, detail: str) -> bytes:
    response = rejected(status, detail, {"Connection": "close"})
    headers = [b": ".join(header) for header in response.raw_headers]
    return b"\r\n".join(
        [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode(), *headers, b"", bytes(response.body)]
    )


class _NoQueue(asyncio.Queue[Any]):
    """In place of the queue of a connection whose application has returned: it drops everything."""

    def put_nowait(self, item: Any) -> None:
        del item


_NO_QUEUE = _NoQueue()


class _DirectSocket(_Owned):
    __slots__ = ("_protocol", "_transport")

    def __init__(self, protocol: "WebSocketProtocol") -> None:
        super().__init__()
        self._protocol = protocol
        self._transport = protocol.transport

    def take_over(self, owner: SocketOwner) -> bool:
        self._owner = owner
        if not self._protocol.taken_over(self):
            self._owner = None
            return False
        return True

    def write(self, data: bytes) -> None:
        if not self._protocol.close_sent:
            self._transport.write(data)

    @property
    def buffered(self) -> int:
        return self._transport.get_write_buffer_size()

    def received(self, text: str) -> None:
        if self._owner is not None:
            cast(SocketOwner, self._owner).received(text)

    def end(self, code: int = 1000) -> None:
        self._release()
        self._protocol.end(code)

    def abort(self) -> None:
        self._release()
        self._transport.abort()


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """`on_lost` is called when the connection ends. What a client may send is bounded in bytes, so that their frames
    are not even parsed: of the smallest there are a thousand in the burst."""

    on_lost: Callable[[], None] | None = None

    def __init__(self, **uvicorn_arguments: Any) -> None:
        super().__init__(**uvicorn_arguments)
        self._allowance = float(WS_BURST_BYTES)
        self._counted_at = self.loop.time()
        self._direct: _DirectSocket | None = None

    async def run_asgi(self) -> None:
        """As uvicorn's, but the connection stays open where the application has handed it over."""
        scope: Any = self.scope
        scope["extensions"][EXTENSION] = _DirectSocket(self)
        try:
            await self.app(self.scope, self.receive, self.send)
        except ClientDisconnected:
            pass
        except Exception:
            log.exception("WebSocket failed")
            self.send_500_response()
        if self._direct is None and self.close_timer is None:
            self.transport.close()

    def taken_over(self, direct: "_DirectSocket") -> bool:
        """What only the application needed is dropped; messages that it has not read go to the owner. False if the
        connection is lost already."""
        if self.disconnected or self.close_sent or self.transport.is_closing():
            return False
        self._direct = direct
        unread, self.queue = self.queue, _NO_QUEUE
        self.scope = self.request = self.response = None  # pyright: ignore[reportAttributeAccessIssue]
        while not unread.empty():
            message: Any = unread.get_nowait()
            if message.get("text") is not None:
                direct.received(message["text"])
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        return True

    def end(self, code: int) -> None:
        """A client that does not answer the close, or does not even take it, is dropped after a while."""
        if self.close_sent or self.transport.is_closing():
            return
        self.stop_keepalive()
        self.conn.send_close(code)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        is_behind = self.transport.get_write_buffer_size() > 0
        seconds = STALLED_CLOSE_SECONDS if is_behind else self.close_timeout
        self.close_timer = self.loop.call_later(seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._direct is not None:
            self._direct.drained()

    def send_receive_event_to_app(self) -> None:
        """A message of the client, whole."""
        if self._direct is None:
            return super().send_receive_event_to_app()
        data, self.frames = b"".join(self.frames), []
        if self.curr_msg_data_type == "text":
            self._direct.received(data.decode(errors="replace"))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.on_lost is not None:
            self.on_lost()
        if self._direct is not None:
            self._direct.lost()

    def data_received(self, data: bytes) -> None:
        if self.handshake_initiated and not self._allows(len(data)):
            return self._close_flooded()
        super().data_received(data)

    def _allows(self, size: int) -> bool:
        now = self.loop.time()
        refilled = self._allowance + (now - self._counted_at) * WS_BYTES_PER_SECOND
        self._allowance, self._counted_at = min(refilled, float(WS_BURST_BYTES)) - size, now
        return self._allowance >= 0

    def _close_flooded(self) -> None:
        self.stop_keepalive()
        if self.handshake_complete and not self.close_sent:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": POLICY_VIOLATION})
            self.conn.send_close(POLICY_VIOLATION, "too many messages")
            self.transport.write(b"".join(self.conn.data_to_send()))
        if self.transport.get_write_buffer_size():  # the client takes nothing
            self.transport.abort()
        else:
            self.transport.close()


class Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, limits: Connections, on_stop: Callable[[], None]) -> None:
        super().__init__(config)
        self._limits = limits
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

    async def look_after_connections(self) -> None:
        self._limits.give_back_memory()
        for connection in list(self.server_state.connections):
            if isinstance(connection, HttpProtocol):
                connection.close_if_overdue()


@contextlib.asynccontextmanager
async def listening(
    app: FastAPI, settings: Settings, limits: Connections, loops: LoopHealth, on_stop: Callable[[], None]
) -> AsyncGenerator[int]:
    """Serves inside the block; yields the port. Raises `Unreachable` when it is taken."""
    for name in ("uvicorn.error", "uvicorn.asgi"):
        logging.getLogger(name).setLevel(logging.ERROR)  # its warnings are of malformed requests, one line each
    config = uvicorn.Config(
        app,
        http=partial(HttpProtocol, limits),  # pyright: ignore[reportArgumentType]  (called as the class is)
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
    server = Server(config, limits, on_stop)
    serving = asyncio.ensure_future(server.serve(sockets=[bound]))
    try:
        await server.listening.wait()
        async with in_background(repeat("connections", server.look_after_connections, CHECK_SECONDS, loops)):
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
