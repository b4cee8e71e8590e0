"""Tools that change notes: create_note, update_note, delete_note."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from agent_service.agent.seen import UNSEEN
from agent_service.tools.knowledge import NotRead
from agent_service.tools.reading import ReadNote
from agent_service.tools.requests import ask
from agent_service.tools.tool import Arguments, Caller, Change, Outcome, Tool
from contracts import note_history, notes
from contracts.errors import DomainError, NotFound, VersionConflict
from contracts.ids import Id

BodyText = Annotated[notes.Body, Field(description="The text, in Markdown")]
TagList = Annotated[notes.Tags, Field(description="All tags the note is to have")]
SeenVersion = Annotated[
    notes.Version, Field(description="The version that the change is made on; without it, the one you saw last")
]
TRIES = 5
"""Of a change that others are quicker than."""
NO_VERSION = 2**31 - 1
"""A version that no note has: a write that names it is answered only where its idempotency key is known."""


class CreateNote(Arguments):
    title: Annotated[notes.Title, Field(description="The title")]
    body: BodyText = ""
    tags: TagList = Field(default_factory=list)


class UpdateNote(Arguments):
    note_id: Annotated[Id, Field(description="The note's id")]
    title: notes.Title | None = None
    body: Annotated[notes.Body, Field(description="The whole new text, for the one that you have read")] | None = None
    tags: TagList | None = None
    pinned: bool | None = None
    archived: bool | None = None
    expected_version: SeenVersion | None = None

    @model_validator(mode="after")
    def _says_what(self) -> "UpdateNote":
        if not self.model_dump(exclude={"note_id", "expected_version"}, exclude_none=True):
            raise ValueError("give at least one of `title`, `body`, `tags`, `pinned`, `archived`")
        return self


def changed(note: notes.Note, op: notes.ChangeOp, *, unseen: bool = False, **more: Any) -> Outcome:
    """`unseen`: the note has by now what the model has not seen."""
    shown = {"id": note.id, "title": note.title, "version": note.version} | ({UNSEEN: True} if unseen else {})
    return Outcome(shown | more, Change(op, note.id, note.version))


async def _create(caller: Caller, arguments: CreateNote) -> Outcome:
    request = notes.CreateNote(
        actor=caller.actor, idempotency_key=caller.idempotency_key, **arguments.model_dump(exclude_unset=True)
    )
    return changed(await ask(caller, notes.CREATE, request), "create", created=True)


async def _update(caller: Caller, arguments: UpdateNote) -> Outcome:
    """Where the note changed since the model saw it, but nothing that the model changes, the change is made all the
    same; else it is refused, and the model is told what is there now."""
    if before := await done_before(caller, arguments.note_id):
        return changed(before, "update", unseen=True)
    wanted = arguments.model_dump(exclude={"note_id", "expected_version"}, exclude_none=True)
    seen = expected = await _base(caller, arguments, is_rewrite="body" in wanted)
    tries = 0
    while True:
        try:
            note = await write(caller, arguments.note_id, expected, wanted)
        except VersionConflict as conflict:
            current = notes.Note.model_validate(conflict.details["current"])
            tries += 1
            if tries == TRIES or not await _is_untouched(caller, seen, current, wanted):
                raise
            expected = current.version
        else:
            return changed(note, "update", unseen=expected != caller.context.seen.heads.get(note.id))


async def _base(caller: Caller, arguments: UpdateNote, *, is_rewrite: bool) -> int:
    """The version that the change is made on. Whoever rewrites a text must have read it, whatever version they name;
    for the rest a version out of a list will do. Raises `NotRead`, and `VersionConflict` for a text named that is newer
    than what was read."""
    seen, named = caller.context.seen, arguments.expected_version
    known = (seen.texts if is_rewrite else seen.heads).get(arguments.note_id)
    if known is None and (is_rewrite or named is None):
        raise NotRead
    if is_rewrite and known is not None and named is not None and named > known:
        current = await ask(caller, notes.GET, notes.GetNote(actor=caller.actor, id=arguments.note_id))
        raise VersionConflict(current=current.model_dump(mode="json"))
    base = named or known
    assert base is not None
    return base


async def write(caller: Caller, note_id: str, expected: int, wanted: dict[str, Any]) -> notes.Note:
    request = notes.UpdateNote(
        actor=caller.actor,
        idempotency_key=caller.idempotency_key,
        id=note_id,
        expected_version=expected,
        **wanted,
    )
    return await ask(caller, notes.UPDATE, request)


async def done_before(caller: Caller, note_id: str) -> notes.Note | None:
    """The note as this call left it, where a worker that died had made the change: what the call was made on is no
    longer there."""
    if not caller.context.taken_over:
        return None
    try:
        return await write(caller, note_id, NO_VERSION, {})
    except DomainError:
        return None


async def _is_untouched(caller: Caller, seen: int, current: notes.Note, wanted: dict[str, Any]) -> bool:
    """Whether what is to be changed is as it was in the version that the model saw."""
    request = note_history.GetRevision(actor=caller.actor, id=current.id, version=seen)
    try:
        then = await ask(caller, note_history.REVISION, request)
    except NotFound:  # a version that is not kept any more, or that the model made up
        return False
    return all(getattr(then, name) == getattr(current, name) for name in wanted)


async def _delete(caller: Caller, arguments: ReadNote) -> Outcome:
    if before := await done_before(caller, arguments.note_id):
        return changed(before, "delete", deleted=True)
    known = caller.context.seen.heads.get(arguments.note_id)
    if known is None:
        raise NotRead
    request = notes.DeleteNote(
        actor=caller.actor,
        idempotency_key=caller.idempotency_key,
        id=arguments.note_id,
        expected_version=known,
    )
    return changed(await ask(caller, notes.DELETE, request), "delete", deleted=True)


WRITING = (
    Tool("create_note", "Creates a note.", CreateNote, _create, "change"),
    Tool(
        "update_note",
        "Changes fields of a note; fields left out stay as they are. To change part of a text, use edit_note instead.",
        UpdateNote,
        _update,
        "change",
    ),
    Tool("delete_note", "Moves a note to the trash, from where the user can restore it.", ReadNote, _delete, "destroy"),
)
