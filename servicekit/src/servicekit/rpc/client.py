"""The client side: sends one request, and returns its typed response or raises the error of the service."""

from nats.aio.client import Client
from nats.errors import ConnectionClosedError, ConnectionDrainingError, NoRespondersError, OutboundBufferLimitError
from nats.errors import TimeoutError as NatsTimeoutError

from contracts.errors import PayloadTooLarge, ServiceUnavailable
from contracts.operation import Operation, RequestT, ResponseT
from servicekit import tracing
from servicekit.rpc.headers import read_error


async def call(
    nc: Client, operation: Operation[RequestT, ResponseT], request: RequestT, timeout: float | None = None
) -> ResponseT:
    """Sends the request and waits for its answer. Raises as `call_raw`."""
    return operation.response.model_validate_json(await call_raw(nc, operation, request, timeout))


async def call_raw(
    nc: Client, operation: Operation[RequestT, ResponseT], request: RequestT, timeout: float | None = None
) -> bytes:
    """As `call`, for who passes the response on: its JSON, which the service has made of the operation's response.

    Raises the `DomainError` that the service answered with, and `ServiceUnavailable`: at once if no replica is there or
    the broker cannot be reached, else after `timeout` seconds (the operation's own by default) without an answer.

    A timed-out write may still have happened: repeat it under the same idempotency key.
    """
    body = request.model_dump_json(exclude_unset=True).encode()  # the receiver has the same defaults
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
    return reply.data
