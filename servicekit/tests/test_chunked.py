"""A long response in chunks: complete for its reader, and with bounded memory for its sender."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from contracts.errors import ServiceUnavailable
from contracts.ids import new_id
from servicekit.bus import connected
from servicekit.rpc import chunked, offer, read_chunks, serve_chunks
from standalone.testing import SLOW_SECONDS


class Made:
    """Chunks that are counted as they are created."""

    def __init__(self, number: int, fails_at: int | None = None) -> None:
        self.number = number
        self.fails_at = fails_at
        self.count = 0
        self.closed = False

    async def each(self) -> AsyncGenerator[bytes]:
        try:
            for at in range(self.number):
                if at == self.fails_at:
                    raise RuntimeError("broken")
                self.count += 1
                yield b"%d " % at
        finally:
            self.closed = True


@asynccontextmanager
async def served(broker, made: Made):
    """Serves the chunks; yields their subject and a connection for the reader."""
    subject = f"notes.export.{new_id()}"
    async with (
        connected(broker.url("notes-service"), "server") as server,
        connected(broker.url("gateway"), "reader") as reader,
    ):
        task = asyncio.create_task(serve_chunks(await offer(server, subject), made.each()))
        try:
            yield reader, subject, task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_all_chunks_arrive_in_order_and_then_the_end(broker):
    made = Made(500)
    async with served(broker, made) as (reader, subject, task):
        read = [piece async for piece in read_chunks(reader, subject)]
        assert read == [b"%d " % at for at in range(500)]
        async with asyncio.timeout(SLOW_SECONDS):
            await task
    assert made.closed


async def test_no_more_is_made_than_is_read(broker):
    made = Made(500)
    async with served(broker, made) as (reader, subject, task):
        stream = read_chunks(reader, subject)
        for _ in range(3):
            await anext(stream)
        assert made.count == 3
        await stream.aclose()
        async with asyncio.timeout(SLOW_SECONDS):
            await task
    assert (made.count, made.closed) == (3, True)


async def test_a_chunk_that_is_requested_again_is_the_same(broker):
    async with served(broker, Made(3)) as (reader, subject, _):
        answers = [
            (await reader.request(subject, number, timeout=SLOW_SECONDS)).data
            for number in (b"1", b"1", b"2", b"2", b"3")
        ]
    assert answers == [b"0 ", b"0 ", b"1 ", b"1 ", b"2 "]


async def test_chunks_that_stop_before_the_end_are_an_error(broker, monkeypatch):
    async with served(broker, Made(5, fails_at=2)) as (reader, subject, task):
        stream = read_chunks(reader, subject)
        assert [await anext(stream), await anext(stream)] == [b"0 ", b"1 "]
        monkeypatch.setattr(chunked, "ANSWER_SECONDS", 0.5)  # the chunk will never arrive
        with pytest.raises(ServiceUnavailable):
            await anext(stream)
        with pytest.raises(RuntimeError):
            await task


async def test_a_reader_that_has_gone_holds_nothing_open(broker, monkeypatch):
    monkeypatch.setattr(chunked, "IDLE_SECONDS", 0.2)
    made = Made(5)
    async with served(broker, made) as (reader, subject, task):
        await reader.request(subject, b"1", timeout=SLOW_SECONDS)
        async with asyncio.timeout(SLOW_SECONDS):
            await task
    assert made.closed
