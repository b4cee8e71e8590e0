"""Two ends of a real broker."""

from collections.abc import AsyncGenerator

import pytest
from nats.aio.client import Client

from servicekit import bus
from standalone.nats import Nats


@pytest.fixture
async def service(broker: Nats) -> AsyncGenerator[Client]:
    """Connected as the notes service, with its permissions."""
    async with bus.connected(broker.url("notes-service"), "service") as nc:
        yield nc


@pytest.fixture
async def caller(broker: Nats) -> AsyncGenerator[Client]:
    async with bus.connected(broker.url("gateway"), "caller") as nc:
        yield nc
