"""Sending a tool's request to the notes service."""

import asyncio

from agent_service.tools.implementation import CallContext
from contracts.errors import ServiceUnavailable
from contracts.operation import Operation, RequestT, ResponseT
from servicekit import rpc

BACKOFF_SECONDS = (0.2, 0.5, *(1.0,) * 20)
"""Pauses between attempts while the notes service, or its database, restarts. Writes carry an idempotency key, so they
can be repeated."""


async def send(call: CallContext, operation: Operation[RequestT, ResponseT], request: RequestT) -> ResponseT:
    """Retries while the service is unavailable, for about 20 s."""
    for pause in BACKOFF_SECONDS:
        try:
            return await rpc.call(call.run_context.nc, operation, request)
        except ServiceUnavailable:
            await asyncio.sleep(pause)
    return await rpc.call(call.run_context.nc, operation, request)
