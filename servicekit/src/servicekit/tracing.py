"""W3C trace context (traceparent, tracestate) across the broker, whether or not anything records the spans."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

from opentelemetry import context, propagate


def inject() -> dict[str, str]:
    """The headers that carry the current trace; empty outside of one."""
    headers: dict[str, str] = {}
    propagate.inject(headers)
    return headers


@contextmanager
def extracted(headers: Mapping[str, str] | None) -> Generator[None]:
    """Inside the block the caller's trace is the current one."""
    token = context.attach(propagate.extract(headers or {}))
    try:
        yield
    finally:
        context.detach(token)
