"""FastAPI dependencies that belong to no feature.

All dependencies of the gateway are `async`, though few of them wait: FastAPI runs the others in threads, at ten times
the cost.
"""

from typing import Annotated

from fastapi import Depends
from nats.aio.client import Client
from starlette.requests import HTTPConnection


async def _nats(connection: HTTPConnection) -> Client:
    return connection.state.container.nc


Nats = Annotated[Client, Depends(_nats)]
"""The connection for requests to the other services."""


async def _address(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else "unknown"


Address = Annotated[str, Depends(_address)]
"""The IP address that the request comes from; behind a trusted proxy, the one in X-Forwarded-For."""
