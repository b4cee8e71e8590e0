"""FastAPI dependencies of live streams and WebSockets."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import HTTPConnection

from gateway.live.services import LiveServices


async def _live(connection: HTTPConnection) -> LiveServices:
    return connection.state.container.live


Live = Annotated[LiveServices, Depends(_live)]
