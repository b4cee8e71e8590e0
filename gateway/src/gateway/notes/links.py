"""HTTP routes of links between notes."""

from typing import Annotated

from fastapi import APIRouter, Query

from contracts import note_links, notes
from contracts.ids import Id
from gateway.accounts.dependencies import ProtectedRoute, User
from gateway.dependencies import Nats
from gateway.problems import problems
from servicekit.rpc import call

router = APIRouter(prefix="/{id}/backlinks", route_class=ProtectedRoute)


@router.get("", responses=problems(401, 404))
async def list_backlinks(
    id: Id,  # noqa: A002
    user: User,
    nc: Nats,
    limit: notes.PageSize = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> notes.NotePage:
    """The notes outside the trash whose text has `[[title]]` with this note's title, newest first."""
    request = note_links.ListBacklinks(actor=user, id=id, limit=limit, cursor=cursor)
    return await call(nc, note_links.BACKLINKS, request)
