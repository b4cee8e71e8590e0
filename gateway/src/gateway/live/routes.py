"""`/ws`: who may open a WebSocket, and how many."""

from typing import Annotated

from fastapi import APIRouter, Query, WebSocket

from contracts.errors import ServiceUnavailable
from gateway.accounts.dependencies import Accounts, session_of
from gateway.accounts.models import Session
from gateway.direct_connection import connection_of
from gateway.edge_middleware import is_own_origin
from gateway.live.dependencies import Live
from gateway.live.services import LiveServices
from gateway.live.websocket import FOREIGN_ORIGIN, NOT_SIGNED_IN, TRY_AGAIN_LATER, Socket

router = APIRouter()


@router.websocket("/ws")
async def websocket(
    websocket: WebSocket, accounts: Accounts, live: Live, since: Annotated[int | None, Query(ge=0, le=2**53)] = None
) -> None:
    """Accepts before anything else: a browser shows its page the code of a close, but not the status of a refusal."""
    await websocket.accept()
    if not is_own_origin(websocket.headers):
        return await websocket.close(FOREIGN_ORIGIN)
    try:
        session = await session_of(websocket, accounts)
    except ServiceUnavailable:
        return await websocket.close(TRY_AGAIN_LATER)
    if session is None:
        return await websocket.close(NOT_SIGNED_IN)
    try:
        if await live.sockets.enter(session.user.id):
            await _open(websocket, live, session, since)
            return
    except ServiceUnavailable:
        pass
    await websocket.close(TRY_AGAIN_LATER)


async def _open(websocket: WebSocket, live: LiveServices, session: Session, since: int | None) -> None:
    """The socket, once it is open, leaves by itself."""
    is_open = False
    try:
        is_open = await Socket(live, session).open(connection_of(websocket.scope), since)
    finally:
        if not is_open:
            live.sockets.leave(session.user.id)
