"""The references of `fanout`: nchan, a C loop and a bare protocol on uvloop, as far as they are available here."""

import asyncio
import shutil
import struct
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from bench.harness import sse
from bench.harness.child import Child, child, module, until_listening
from bench.harness.counters import upgrade
from bench.harness.processes import Processes
from standalone.ports import free_port

Kind = Literal["sse", "ws"]
KINDS: tuple[Kind, ...] = ("sse", "ws")

NCHAN = """
load_module {module};
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log error;
events {{ worker_connections 40000; multi_accept on; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  nchan_max_reserved_memory 256m;
  keepalive_requests 10000000;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = /publish {{ nchan_publisher; nchan_channel_id bench; nchan_message_buffer_length 100; }}
    location = /read {{ nchan_subscriber websocket eventsource; nchan_channel_id bench;
                        nchan_subscriber_first_message newest; }}
  }}
}}
"""
NO_NCHAN = "nchan is not installed (Debian: apt install libnginx-mod-nchan)"
NO_COMPILER = "there is no C compiler"


@dataclass
class Reference:
    """A server that sends what is passed to `publish` to all readers."""

    name: str
    url: str
    processes: Processes
    _publisher: asyncio.WriteTransport
    _is_http: bool = False

    def request(self, kind: Kind) -> bytes:
        """The request that makes a connection a reader."""
        return upgrade(self.url, "/read") if kind == "ws" else sse.get(self.url, "/read")

    def publish(self, kind: Kind, text: bytes) -> None:
        if self._is_http:
            head = b"POST /publish HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n" % len(text)
            self._publisher.write(head + text)
        else:
            message = _frame(text) if kind == "ws" else b"event: token\ndata: %b\n\n" % text
            self._publisher.write(b"PUB %d\n%b" % (len(message), message))


def _frame(text: bytes) -> bytes:
    """A WebSocket's text message."""
    if len(text) < 126:
        return bytes((0x81, len(text))) + text
    return bytes((0x81, 126)) + struct.pack(">H", len(text)) + text


@asynccontextmanager
async def references(folder: Path, nginx: str | None) -> AsyncGenerator[tuple[list[Reference], dict[str, str]]]:
    """The available references, running, and why the others are missing. `nginx`: the program, if not the one on
    PATH."""
    missing: dict[str, str] = {}
    found: list[Reference] = []
    async with AsyncExitStack() as stack:
        program = _nginx(nginx)
        if program is None:
            missing["nchan"] = NO_NCHAN
        else:
            server, url = await stack.enter_async_context(_nchan(folder, *program))
            found.append(await _connected("nchan", url, server, is_http=True))
        compiled = await _compiled(folder)
        if compiled is None:
            missing["c"] = NO_COMPILER
        else:
            server = await stack.enter_async_context(child(compiled, speaks=True))
            found.append(await _connected("c", server.first_line, server))
        server = await stack.enter_async_context(child(*module("bench.reference.fanout_uvloop"), speaks=True))
        found.append(await _connected("uvloop", server.first_line, server))
        yield found, missing


async def _connected(name: str, url: str, server: Child, *, is_http: bool = False) -> Reference:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_connection(asyncio.Protocol, *sse.host_and_port(url))
    return Reference(name, url, server.processes, cast(asyncio.WriteTransport, transport), is_http)


def _nginx(given: str | None) -> tuple[Path, Path] | None:
    """The program and the module, or None if one is missing."""
    named = given or shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if named is None:
        return None
    program = Path(named).absolute()
    loadable = program.parent.parent / "lib" / "nginx" / "modules" / "ngx_nchan_module.so"
    return (program, loadable) if program.exists() and loadable.exists() else None


@asynccontextmanager
async def _nchan(folder: Path, program: Path, loadable: Path) -> AsyncGenerator[tuple[Child, str]]:
    own, port = folder / "nchan", free_port()
    own.mkdir()
    config = own / "nginx.conf"
    config.write_text(NCHAN.format(module=loadable, folder=own, port=port))
    async with child(program, "-p", own, "-e", own / "error.log", "-c", config) as server:
        await until_listening(port, server)
        yield server, f"http://127.0.0.1:{port}"


async def _compiled(folder: Path) -> Path | None:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    program = folder / "fanout"
    made = await asyncio.create_subprocess_exec(
        compiler, "-O2", "-o", str(program), str(Path(__file__).with_name("fanout.c")),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    return program if await made.wait() == 0 else None
