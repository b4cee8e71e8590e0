"""Fixtures: two connections to a real broker, a service and a caller."""

from collections.abc import AsyncGenerator

import pytest
from nats.aio.client import Client

from servicekit import bus
from standalone.nats import Nats


@pytest.fixture
async def service(broker: Nats) -> AsyncGenerator[Client]:
    """A connection with the permissions of the notes service."""
    async with bus.connected(broker.url("notes-service"), "service") as nc:
        yield nc


@pytest.fixture
async def caller(broker: Nats) -> AsyncGenerator[Client]:
    async with bus.connected(broker.url("gateway"), "caller") as nc:
        yield nc
