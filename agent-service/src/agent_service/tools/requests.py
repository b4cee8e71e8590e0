"""A request of a tool to the notes service."""

import asyncio

from agent_service.tools.tool import Caller
from contracts.errors import ServiceUnavailable
from contracts.operation import Operation, RequestT, ResponseT
from servicekit import rpc

PAUSES = (0.2, 0.5, *(1.0,) * 20)
"""Seconds between attempts while the notes service, or what it stands on, restarts. Writes carry an idempotency key, so
repeating is safe."""


async def ask(caller: Caller, operation: Operation[RequestT, ResponseT], request: RequestT) -> ResponseT:
    for pause in PAUSES:
        try:
            return await rpc.call(caller.context.nc, operation, request)
        except ServiceUnavailable:
            await asyncio.sleep(pause)
    return await rpc.call(caller.context.nc, operation, request)
