"""HTTP routes of links between notes."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from contracts import note_links, notes
from contracts.ids import Id
from gateway.accounts.dependencies import ProtectedRoute, User
from gateway.dependencies import Nats
from gateway.problems import problems
from servicekit.rpc import call

router = APIRouter(route_class=ProtectedRoute)


class WrittenLinks(BaseModel):
    """Links as they are written, `[[…]]` or the destination of a Markdown link, in a text of the note `source_id`."""

    source_id: Id | None = None
    links: Annotated[list[note_links.LinkText], Field(max_length=note_links.RESOLVED_MAX)]


class FormerTitle(BaseModel):
    former_title: notes.Title
    cursor: Annotated[str | None, Field(max_length=1000)] = None


@router.post("/links", responses=problems(401, 403, 404))
async def resolve_links(body: WrittenLinks, user: User, nc: Nats) -> note_links.ResolvedLinks:
    """The notes that these links lead to, in the same order; null where there is none."""
    request = note_links.ResolveLinks(actor=user, source_id=body.source_id, links=body.links)
    return await call(nc, note_links.RESOLVE_LINKS, request)


@router.get("/{id}/backlinks", responses=problems(401, 404))
async def list_backlinks(
    *,
    id: Id,  # noqa: A002
    user: User,
    nc: Nats,
    limit: notes.PageSize = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
    former_title: Annotated[
        notes.Title | None, Query(description="Notes with links that led here by this title, and nowhere now.")
    ] = None,
) -> notes.NotePage:
    """The notes outside the trash whose text has a link that leads to this note, newest first. A page may be short, or
    empty, before the last one."""
    request = note_links.ListBacklinks(actor=user, id=id, limit=limit, cursor=cursor, former_title=former_title)
    return await call(nc, note_links.BACKLINKS, request)


@router.post("/{id}/relink", responses=problems(401, 403, 404))
async def relink_notes(
    id: Id,  # noqa: A002
    body: FormerTitle,
    user: User,
    nc: Nats,
) -> note_links.RelinkedNotes:
    """Rewrites links that led to this note by a former title, and lead nowhere now, in one page of notes; then again
    with `next_cursor`, until there is none."""
    request = note_links.RelinkNotes(actor=user, id=id, former_title=body.former_title, cursor=body.cursor)
    return await call(nc, note_links.RELINK, request)
