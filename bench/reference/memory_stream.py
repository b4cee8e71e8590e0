"""`python -m bench.reference.memory_stream`: the reference of `relay`, one FastAPI process that streams from memory.

`GET /events?count=200&rate=50` streams that many events at that rate, each with its creation time.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator

from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from bench.reference.asgi import serve

app = FastAPI()


@app.get("/events")
async def events(count: int, rate: float) -> StreamingResponse:
    return StreamingResponse(_events(count, rate), media_type="text/event-stream")


async def _events(count: int, rate: float) -> AsyncGenerator[bytes]:
    """Streams start with different offsets, as runs do."""
    loop = asyncio.get_running_loop()
    began = loop.time() + random.random() / rate
    for number in range(1, count + 1):
        if (pause := began + number / rate - loop.time()) > 0:
            await asyncio.sleep(pause)
        yield b'id: %d\nevent: token\ndata: {"token":" %d"}\n\n' % (number, time.monotonic_ns())
    yield b'id: %d\nevent: done\ndata: {"done":true}\n\n' % (count + 1)


if __name__ == "__main__":
    serve(app)
