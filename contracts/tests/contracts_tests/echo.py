"""A service with one operation, for the tests."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from nats.aio.client import Client
from pydantic import BaseModel, Field

from contracts import rpc


class Asked(BaseModel):
    text: str = Field(default="", max_length=5_000_000)
    secret: int = 0


class Answered(BaseModel):
    text: str


ECHO = rpc.Operation("notes.echo", Asked, Answered)
Handler = Callable[[Asked], Awaitable[Answered]]


@asynccontextmanager
async def serving(nc: Client, handler: Handler, **options: int) -> AsyncGenerator[None]:
    handlers = rpc.Handlers()
    handlers.add(ECHO, handler)
    async with rpc.serve(nc, "echo", "1.2.3", handlers, queue_group="echo", **options):
        yield


async def echo(asked: Asked) -> Answered:
    return Answered(text=asked.text)


async def raising(error: Exception) -> Handler:
    async def handler(_: Asked) -> Answered:
        raise error

    return handler
