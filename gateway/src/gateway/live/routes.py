"""`/ws`: who may open a WebSocket, and how many."""

from typing import Annotated

from fastapi import APIRouter, Query, WebSocket

from contracts.errors import ServiceUnavailable
from gateway.accounts.dependencies import Accounts, session_of
from gateway.edge_middleware import is_own_origin
from gateway.live.dependencies import Live
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
        async with live.sockets.admitted(session.user.id) as admitted:
            if admitted:
                socket = Socket(websocket, live.sources, session.user.id)
                with live.sessions.registered(session.id, socket.sign_out):
                    return await socket.serve(since)
    except ServiceUnavailable:
        pass  # how many the user has is not known
    await websocket.close(TRY_AGAIN_LATER)
