"""HTTP routes of a note's earlier versions."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from contracts import note_history, notes
from contracts.ids import Id
from gateway.accounts.dependencies import ProtectedRoute, User
from gateway.dependencies import Nats
from gateway.notes.models import NOTE, ExpectedVersion, IdempotencyKey, tagged
from gateway.problems import problems
from servicekit.rpc import call, call_raw

router = APIRouter(prefix="/{id}/revisions", route_class=ProtectedRoute)

Version = Annotated[int, Path(ge=1, lt=2**31)]


@router.get("", responses=problems(401, 404))
async def list_revisions(
    id: Id,  # noqa: A002
    user: User,
    nc: Nats,
    limit: notes.PageSize = 50,
    cursor: Annotated[str | None, Query(max_length=1000)] = None,
) -> note_history.RevisionPage:
    """Newest first. Of versions that a user saved in quick succession only the last is listed."""
    request = note_history.ListRevisions(actor=user, id=id, limit=limit, cursor=cursor)
    return await call(nc, note_history.REVISIONS, request)


@router.get("/{version}", responses=problems(401, 404))
async def get_revision(
    id: Id,  # noqa: A002
    version: Version,
    user: User,
    nc: Nats,
) -> note_history.Revision:
    """One version with its text."""
    return await call(nc, note_history.REVISION, note_history.GetRevision(actor=user, id=id, version=version))


@router.post(
    "/{version}/restore",
    response_model=notes.Note,
    responses=problems(401, 403, 404, 409, 412) | {200: NOTE},
)
async def restore_revision(
    *,
    id: Id,  # noqa: A002
    version: Version,
    user: User,
    nc: Nats,
    expected_version: ExpectedVersion,
    idempotency_key: IdempotencyKey = None,
) -> Any:
    """Gives the note the title, text and tags of an earlier version, as a new version."""
    request = note_history.RestoreRevision(
        actor=user, id=id, version=version, expected_version=expected_version, idempotency_key=idempotency_key
    )
    return tagged(await call_raw(nc, note_history.RESTORE_REVISION, request))
