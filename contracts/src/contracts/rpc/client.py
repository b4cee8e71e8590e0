"""Asking: one request, one typed answer or the error that the other side raised."""

from nats.aio.client import Client
from nats.errors import ConnectionClosedError, ConnectionDrainingError, NoRespondersError, OutboundBufferLimitError
from nats.errors import TimeoutError as NatsTimeoutError

from contracts import tracing
from contracts.errors import PayloadTooLarge, ServiceUnavailable
from contracts.rpc.headers import read_error
from contracts.rpc.operation import Answered, Asked, Operation


async def call(
    nc: Client, operation: Operation[Asked, Answered], request: Asked, timeout: float | None = None
) -> Answered:
    """Asks and waits. Raises the `DomainError` that the service answered with, and `ServiceUnavailable` at once when
    nobody listens or the broker is away, or after `timeout` seconds (the operation's own by default) of silence.

    A timed-out write may still have happened: repeat it under the same idempotency key.
    """
    body = request.model_dump_json(exclude_none=True).encode()
    if len(body) > nc.max_payload:
        raise PayloadTooLarge
    if not nc.is_connected:
        raise ServiceUnavailable
    try:
        reply = await nc.request(
            operation.subject, body, timeout=timeout or operation.timeout, headers=tracing.inject() or None
        )
    except (
        NoRespondersError,
        NatsTimeoutError,
        ConnectionClosedError,
        ConnectionDrainingError,
        OutboundBufferLimitError,
    ) as error:
        raise ServiceUnavailable from error
    if error := read_error(reply.headers, reply.data):
        raise error
    return operation.response.model_validate_json(reply.data)
