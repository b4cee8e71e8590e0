"""`/ws`: who may open it, and how many."""

from typing import Annotated

from fastapi import APIRouter, Query, WebSocket

from contracts.errors import ServiceUnavailable
from gateway.accounts.models import Session
from gateway.container import Container
from gateway.dependencies import Services, session_of
from gateway.edge_middleware import is_own_origin
from gateway.live.websocket import FOREIGN_ORIGIN, FULL, NOT_SIGNED_IN, Socket

router = APIRouter()


@router.websocket("/ws")
async def websocket(
    websocket: WebSocket, to: Services, since: Annotated[int | None, Query(ge=0, le=2**53)] = None
) -> None:
    """Accepts first: a browser shows its page the code of a close, but not the status of a refusal."""
    await websocket.accept()
    if not is_own_origin(websocket.headers):
        return await websocket.close(FOREIGN_ORIGIN)
    try:
        session = await session_of(websocket, to)
    except ServiceUnavailable:
        return await websocket.close(FULL)
    if session is None:
        return await websocket.close(NOT_SIGNED_IN)
    with to.sockets.place(session.user.id) as admitted:
        if not admitted:
            return await websocket.close(FULL)
        await _serve(websocket, to, session, since)


async def _serve(websocket: WebSocket, to: Container, session: Session, since: int | None) -> None:
    socket = Socket(websocket, to.nc, session.user.id)
    with to.sessions.holding(session.id, socket.sign_out):
        await socket.serve(to.sources.hub, since)
