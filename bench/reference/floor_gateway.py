"""`python -m bench.reference.floor_gateway NATS_URL`: HTTP for the floor, as a bare ASGI application."""

import asyncio
import itertools
import sys
from typing import Any

import nats
import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg

from bench.reference.asgi import serve
from bench.reference.floor import LIVE, START

HEAD: dict[str, Any] = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")],
}


class Events:
    """The events of a run that were received and not sent yet."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._wake: asyncio.Future[None] | None = None
        self._ended = False

    async def receive(self, msg: Msg) -> None:
        head, data = msg.data.split(b"\n", 1)
        _, number, event, _ = head.split(b" ")
        self._ended = event == b"done"
        self._frames.append(b"id: 1.%b\nevent: %b\ndata: %b\n\n" % (number, event, data))
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def take(self) -> tuple[bytes, bool]:
        """Waits for events; returns them, and whether more will follow."""
        if not self._frames:
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        frames, self._frames = self._frames, []
        return b"".join(frames), not self._ended


class Gateway:
    """Answers `POST` with the events of a new run."""

    def __init__(self, nats_url: str) -> None:
        self._nats_url = nats_url
        self._nc: Client
        self._numbers = itertools.count(1)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            await self._stream(receive, send)

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        self._nc = await nats.connect(self._nats_url)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._nc.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _stream(self, receive: Any, send: Any) -> None:
        message = orjson.loads((await receive())["body"])["message"]
        run_id, events = str(next(self._numbers)), Events()
        subscription = await self._nc.subscribe(f"{LIVE}.{run_id}", cb=events.receive)
        await self._nc.publish(START, orjson.dumps({"run_id": run_id, "message": message}))
        await send(HEAD)
        await send({"type": "http.response.body", "body": b"retry: 1000\n\n", "more_body": True})
        more = True
        while more:
            body, more = await events.take()
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        await subscription.unsubscribe()


if __name__ == "__main__":
    serve(Gateway(sys.argv[1]))
