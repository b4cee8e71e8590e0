"""HTTP routes of notes. The rules are in the notes service; here are only paths, headers and status codes."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel

from contracts import notes
from contracts.errors import CursorExpired
from contracts.ids import Id
from contracts.moments import Moment
from gateway.accounts.dependencies import ProtectedRoute, User
from gateway.dependencies import Nats
from gateway.notes import history, links, transfer
from gateway.notes.models import NOTE, ExpectedVersion, IdempotencyKey, NotePatch, passed_on, tagged
from gateway.problems import problems
from servicekit.rpc import call, call_raw

router = APIRouter(prefix="/api/notes", tags=["notes"], route_class=ProtectedRoute)

Cursor = Annotated[str | None, Query(max_length=notes.CURSOR_MAX_CHARACTERS)]


class Changes(BaseModel):
    """`cursor`: the value of `since` for the next request."""

    changes: list[notes.ChangedNote]
    cursor: int


@router.get("", response_model=notes.NotePage, responses=problems(401))
async def list_notes(
    *,
    user: User,
    nc: Nats,
    limit: notes.PageSize = 50,
    cursor: Cursor = None,
    tag: notes.Tag | None = None,
    title: Annotated[notes.Title | None, Query(description="Exact title, ignoring case and accents.")] = None,
    archived: bool = False,
    trashed: bool = False,
    sort: notes.Sort = "updated",
) -> Any:
    """Pinned notes first, then in the order of `sort`. `tag` also lists the notes with tags nested in it."""
    request = notes.ListNotes(
        actor=user, limit=limit, cursor=cursor, tag=tag, title=title, archived=archived, trashed=trashed, sort=sort
    )
    return passed_on(await call_raw(nc, notes.LIST, request))


@router.post("", status_code=201, response_model=notes.Note, responses=problems(401, 403, 409) | {201: NOTE})
async def create_note(body: notes.NewNote, user: User, nc: Nats, idempotency_key: IdempotencyKey = None) -> Any:
    request = notes.CreateNote(actor=user, idempotency_key=idempotency_key, **body.model_dump(exclude_unset=True))
    note = tagged(await call_raw(nc, notes.CREATE, request), status=201)
    note.headers["Location"] = f"/api/notes/{note.id}"
    return note


@router.get("/search", response_model=notes.SearchResults, responses=problems(401))
async def search_notes(
    user: User, nc: Nats, q: notes.SearchQuery, limit: notes.PageSize = 20, cursor: notes.SearchCursor | None = None
) -> Any:
    """Best match first. `snippet` is HTML: matches in `<mark>`, everything else escaped."""
    request = notes.SearchNotes(actor=user, q=q, limit=limit, cursor=cursor)
    return passed_on(await call_raw(nc, notes.SEARCH, request))


@router.get("/tags", response_model=notes.TagCounts, responses=problems(401))
async def count_tags(*, user: User, nc: Nats, archived: bool = False, trashed: bool = False) -> Any:
    """The tags of the notes, with the number of notes of each. `a/b` is nested in `a`, and counts for both."""
    return passed_on(await call_raw(nc, notes.TAGS, notes.CountTags(actor=user, archived=archived, trashed=trashed)))


@router.get("/changes", responses=problems(401, 410))
async def list_changes(user: User, nc: Nats, since: Annotated[int | None, Query(ge=0, le=2**53)] = None) -> Changes:
    """The changes after `since`, in order; without it, only the current cursor."""
    feed = await call(nc, notes.CHANGES, notes.ListChanges(actor=user, since=since))
    if feed.expired:
        raise CursorExpired
    return Changes(changes=feed.changes, cursor=feed.cursor)


class TrashSeen(BaseModel):
    """`before`: the newest `deleted_at` that the user has seen."""

    before: Moment


@router.post("/trash/empty", responses=problems(401, 403))
async def empty_trash(body: TrashSeen, user: User, nc: Nats) -> notes.EmptiedTrash:
    """Deletes what was in the trash by then for good, with all versions: 50 notes, to be repeated while `has_more`."""
    return await call(nc, notes.EMPTY_TRASH, notes.EmptyTrash(actor=user, before=body.before))


router.include_router(transfer.router)  # before `/{id}`, which would match its paths
router.include_router(links.router)


@router.get("/{id}", response_model=notes.Note, responses=problems(401, 404) | {200: NOTE, 304: {}})
async def get_note(
    id: Id,  # noqa: A002
    user: User,
    nc: Nats,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Any:
    note = tagged(await call_raw(nc, notes.GET, notes.GetNote(actor=user, id=id)))
    tag = note.headers["ETag"]
    if if_none_match is not None and tag in if_none_match:
        return Response(status_code=304, headers={"ETag": tag})
    return note


@router.patch("/{id}", response_model=notes.Note, responses=problems(401, 403, 404, 409, 412) | {200: NOTE})
async def update_note(
    *,
    id: Id,  # noqa: A002
    body: NotePatch,
    user: User,
    nc: Nats,
    expected_version: ExpectedVersion,
    idempotency_key: IdempotencyKey = None,
) -> Any:
    request = notes.UpdateNote(
        actor=user,
        id=id,
        expected_version=expected_version,
        idempotency_key=idempotency_key,
        **body.model_dump(exclude_unset=True),
    )
    return tagged(await call_raw(nc, notes.UPDATE, request))


@router.delete("/{id}", status_code=204, responses=problems(401, 403, 404, 412))
async def delete_note(
    *,
    id: Id,  # noqa: A002
    user: User,
    nc: Nats,
    expected_version: ExpectedVersion,
    permanent: Annotated[bool, Query(description="For good, with all its versions.")] = False,
    idempotency_key: IdempotencyKey = None,
) -> None:
    """Moves the note to the trash, where it stays for 30 days; or deletes it for good."""
    if permanent:
        request = notes.PurgeNote(actor=user, id=id, expected_version=expected_version, idempotency_key=idempotency_key)
        await call(nc, notes.PURGE, request)
    else:
        request = notes.DeleteNote(
            actor=user, id=id, expected_version=expected_version, idempotency_key=idempotency_key
        )
        await call(nc, notes.DELETE, request)


@router.post("/{id}/restore", response_model=notes.Note, responses=problems(401, 403, 404, 409, 412) | {200: NOTE})
async def restore_note(
    *,
    id: Id,  # noqa: A002
    user: User,
    nc: Nats,
    expected_version: ExpectedVersion,
    idempotency_key: IdempotencyKey = None,
) -> Any:
    """Takes the note out of the trash. One that is not in it stays as it is, whatever its version."""
    request = notes.RestoreNote(actor=user, id=id, expected_version=expected_version, idempotency_key=idempotency_key)
    return tagged(await call_raw(nc, notes.RESTORE, request))


router.include_router(history.router)
