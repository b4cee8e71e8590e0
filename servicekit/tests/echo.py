"""A service with one operation, for tests. It has the permissions of the notes service, and therefore its name."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from nats.aio.client import Client
from pydantic import BaseModel, Field

from contracts.operation import Operation
from servicekit import rpc


class EchoRequest(BaseModel):
    text: str = Field(default="", max_length=5_000_000)
    secret: int = 0


class EchoResponse(BaseModel):
    text: str


ECHO = Operation("notes.echo", EchoRequest, EchoResponse)
Handler = Callable[[EchoRequest], Awaitable[EchoResponse]]


@asynccontextmanager
async def serving(nc: Client, handler: Handler, **options: int) -> AsyncGenerator[None]:
    handlers = rpc.Handlers()
    handlers.add(ECHO, handler)
    async with rpc.serve(nc, "notes-service", "1.2.3", handlers, queue_group="echo", **options):
        yield


async def echo(request: EchoRequest) -> EchoResponse:
    return EchoResponse(text=request.text)


async def raising(error: Exception) -> Handler:
    async def handler(_: EchoRequest) -> EchoResponse:
        raise error

    return handler
