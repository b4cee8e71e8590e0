"""Tools that write: create_note, update_note, delete_note."""

from typing import Any

from agent_service.agent.read_versions import UNREAD_TEXT
from agent_service.tools.conflict_messages import NotRead
from agent_service.tools.implementation import CallContext, Implementation, ToolOutcome, WrittenNote
from agent_service.tools.requests import send
from contracts import note_history, note_links, notes, tools
from contracts.errors import DomainError, NotFound, VersionConflict

MAX_ATTEMPTS = 5
"""Attempts at a change that keeps losing against concurrent changes."""
NO_VERSION = 2**31 - 1
"""A version that no note has: a write that expects it succeeds only if its idempotency key has been used already."""


def written(note: notes.Note, op: notes.ChangeOp, *, unread: bool = False, **more: Any) -> ToolOutcome:
    """`unread`: the note contains changes that the model has not read."""
    result = {"id": note.id, "title": note.title, "version": note.version} | ({UNREAD_TEXT: True} if unread else {})
    return ToolOutcome(result | more, WrittenNote(op, note.id, note.version))


async def _create(call: CallContext, arguments: tools.CreateNote) -> ToolOutcome:
    request = notes.CreateNote(
        actor=call.actor, idempotency_key=call.idempotency_key, **arguments.model_dump(exclude_unset=True)
    )
    return written(await send(call, notes.CREATE, request), "create", created=True)


async def _update(call: CallContext, arguments: tools.UpdateNote) -> ToolOutcome:
    """If the note has changed since the model read it, but not in the fields that the model changes, the change is made
    on the current version; else it is refused, and the model gets the note as it is now."""
    changes = arguments.changes
    if before := await earlier_result(call, arguments.note_id):
        await _relink(call, before, before.version - 1, changes)
        return written(before, "update", unread=True)
    base = expected = await _base_version(call, arguments, is_rewrite="body" in changes)
    attempts = 0
    while True:
        try:
            note = await write(call, arguments.note_id, expected, changes)
        except VersionConflict as conflict:
            current = notes.Note.model_validate(conflict.details["current"])
            attempts += 1
            if attempts == MAX_ATTEMPTS or not await _is_unchanged_since(call, base, current, changes):
                raise
            expected = current.version
        else:
            await _relink(call, note, expected, changes)
            return written(note, "update", unread=expected != call.run_context.read_versions.heads.get(note.id))


async def _base_version(call: CallContext, arguments: tools.UpdateNote, *, is_rewrite: bool) -> int:
    """The version that the change is made on. A rewrite of the body requires that the model has read it, whatever
    version it names; for other fields a version from a list is enough.

    Raises `NotRead`, and `VersionConflict` for a rewrite that names a version newer than the one read.
    """
    versions, named = call.run_context.read_versions, arguments.expected_version
    known = (versions.bodies if is_rewrite else versions.heads).get(arguments.note_id)
    if known is None and (is_rewrite or named is None):
        raise NotRead
    if is_rewrite and known is not None and named is not None and named > known:
        current = await send(call, notes.GET, notes.GetNote(actor=call.actor, id=arguments.note_id))
        raise VersionConflict(current=current.model_dump(mode="json"))
    base = named or known
    assert base is not None
    return base


async def _relink(call: CallContext, note: notes.Note, base: int, changes: dict[str, Any]) -> None:
    """Rewrites links by the title that the note had in version `base`. The update itself has done so in as many notes
    as fit into its transaction; a second attempt finds none that is done."""
    if "title" not in changes or base < 1:
        return
    try:
        request = note_history.GetRevision(actor=call.actor, id=note.id, version=base)
        former = (await send(call, note_history.REVISION, request)).title
        cursor: str | None = None
        while former != note.title:
            page = note_links.RelinkNotes(actor=call.actor, id=note.id, former_title=former, cursor=cursor)
            cursor = (await send(call, note_links.RELINK, page)).next_cursor
            if cursor is None:
                return
    except NotFound:  # pruned, or deleted for good: nobody can tell which links these are
        return


async def write(call: CallContext, note_id: str, expected: int, changes: dict[str, Any]) -> notes.Note:
    request = notes.UpdateNote(
        actor=call.actor,
        idempotency_key=call.idempotency_key,
        id=note_id,
        expected_version=expected,
        **changes,
    )
    return await send(call, notes.UPDATE, request)


async def earlier_result(call: CallContext, note_id: str) -> notes.Note | None:
    """The note as an earlier attempt of this call left it, None if none has made the change.

    Must be checked before the change is computed again: the version that the earlier attempt changed is gone.
    """
    if not call.run_context.taken_over:
        return None
    try:
        return await write(call, note_id, NO_VERSION, {})
    except DomainError:
        return None


async def _is_unchanged_since(call: CallContext, version: int, current: notes.Note, changes: dict[str, Any]) -> bool:
    """Whether the fields to change still have the values that they had in `version`."""
    request = note_history.GetRevision(actor=call.actor, id=current.id, version=version)
    try:
        revision = await send(call, note_history.REVISION, request)
    except NotFound:  # the version has been pruned, or the model made it up
        return False
    return all(getattr(revision, name) == getattr(current, name) for name in changes)


async def _delete(call: CallContext, arguments: tools.DeleteNote) -> ToolOutcome:
    if before := await earlier_result(call, arguments.note_id):
        return written(before, "delete", deleted=True)
    known = call.run_context.read_versions.heads.get(arguments.note_id)
    if known is None:
        raise NotRead
    request = notes.DeleteNote(
        actor=call.actor,
        idempotency_key=call.idempotency_key,
        id=arguments.note_id,
        expected_version=known,
    )
    return written(await send(call, notes.DELETE, request), "delete", deleted=True)


WRITING = (
    Implementation(tools.CREATE_NOTE, _create),
    Implementation(tools.UPDATE_NOTE, _update),
    Implementation(tools.DELETE_NOTE, _delete),
)
