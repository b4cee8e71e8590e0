"""`python -m bench.reference.floor_agent NATS_URL MODEL_URL`: reads the model's streams for the floor."""

import asyncio
import sys

import aiohttp
import nats
import orjson
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js.api import StorageType, StreamConfig

from bench.reference.floor import LIVE, LOG, SEGMENT_SECONDS, START, STREAM

FRAME = b"1 %d %b %d\n%b"
"""Attempt, number, event and length, then the event's JSON."""


class Run:
    """`put` publishes a frame live, and buffers it for the next segment."""

    def __init__(self, nc: Client, acks: str, run_id: str) -> None:
        self._nc = nc
        self._run_id = run_id
        self._acks = acks
        self._number = 0
        self._segment: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self._stores: set[asyncio.Task[None]] = set()

    async def put(self, event: bytes, data: bytes) -> None:
        self._number += 1
        frame = FRAME % (self._number, event, len(data), data)
        self._segment.append(frame)
        await self._nc.publish(f"{LIVE}.{self._run_id}", frame)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SEGMENT_SECONDS, self._store_soon)

    def _store_soon(self) -> None:
        task = asyncio.ensure_future(self.store())
        self._stores.add(task)
        task.add_done_callback(self._stores.discard)

    async def store(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        segment, self._segment = b"".join(self._segment), []
        if segment:
            headers = {"Nats-Msg-Id": f"{self._run_id}.1.{self._number}"}
            reply = f"{self._acks}.{self._run_id}.{self._number}"
            await self._nc.publish(f"{LOG}.{self._run_id}", segment, reply=reply, headers=headers)


def _texts(events: list[bytes]) -> str:
    """The text of an answer's chunks."""
    found: list[str] = []
    for event in events:
        data = event[6:]
        if data and data != b"[DONE]":
            choices = orjson.loads(data)["choices"]
            if choices and (text := choices[0]["delta"].get("content")):
                found.append(text)
    return "".join(found)


async def answer(http: aiohttp.ClientSession, model_url: str, run: Run, message: str) -> None:
    body = {"model": "local", "stream": True, "messages": [{"role": "user", "content": message}]}
    async with http.post(f"{model_url}/v1/chat/completions", json=body) as response:
        rest = b""
        async for data in response.content.iter_any():
            *events, rest = (rest + data).split(b"\n\n")
            if text := _texts(events):
                await run.put(b"token", orjson.dumps({"token": text}))
    await run.put(b"done", b'{"done":true}')
    await run.store()


async def main(nats_url: str, model_url: str) -> None:
    nc = await nats.connect(nats_url)
    config = StreamConfig(name=STREAM, subjects=[f"{LOG}.*"], storage=StorageType.FILE, duplicate_window=10)
    await nc.jetstream().add_stream(config)
    acks, runs = nc.new_inbox(), set[asyncio.Task[None]]()

    async def acked(_: Msg) -> None:
        """Ignores acknowledgements: the floor does not buffer frames for a retry."""

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:

        async def start(msg: Msg) -> None:
            request = orjson.loads(msg.data)
            task = asyncio.ensure_future(answer(http, model_url, Run(nc, acks, request["run_id"]), request["message"]))
            runs.add(task)
            task.add_done_callback(runs.discard)

        await nc.subscribe(f"{acks}.>", cb=acked)
        await nc.subscribe(START, cb=start)
        await nc.flush()
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
