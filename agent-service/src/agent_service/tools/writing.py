"""Tools that change notes: create_note, update_note, delete_note."""

from typing import Annotated, Any

from contracts.errors import NotFound, VersionConflict
from contracts.ids import Id
from pydantic import Field

from agent_service.tools.knowledge import UNSEEN
from agent_service.tools.reading import ReadNote
from agent_service.tools.requests import ask
from agent_service.tools.tool import Arguments, Caller, Change, Outcome, Tool
from contracts import note_history, notes

BodyText = Annotated[notes.Body, Field(description="The text, in Markdown")]
TagList = Annotated[notes.Tags, Field(description="All tags the note is to have")]
SeenVersion = Annotated[
    notes.Version, Field(description="The version that the change is made on; without it, the one you saw last")
]
TRIES = 5
"""Of a change that others are quicker than."""


class CreateNote(Arguments):
    title: Annotated[notes.Title, Field(description="The title")]
    body: BodyText = ""
    tags: TagList = Field(default_factory=list)


class UpdateNote(Arguments):
    note_id: Annotated[Id, Field(description="The note's id")]
    title: notes.Title | None = None
    body: Annotated[notes.Body, Field(description="The whole new text: it replaces the old one")] | None = None
    tags: TagList | None = None
    pinned: bool | None = None
    archived: bool | None = None
    expected_version: SeenVersion | None = None


def changed(note: notes.Note, op: notes.ChangeOp, *, knows_text: bool = True, **more: Any) -> Outcome:
    """`knows_text`: the model knows all of the note's text as it is now."""
    shown = {"id": note.id, "title": note.title, "version": note.version} | ({} if knows_text else {UNSEEN: True})
    return Outcome(shown | more, Change(op, note.id, note.version))


async def _create(caller: Caller, arguments: CreateNote) -> Outcome:
    request = notes.CreateNote(
        actor=caller.actor, idempotency_key=caller.idempotency_key, **arguments.model_dump(exclude_unset=True)
    )
    return changed(await ask(caller, notes.CREATE, request), "create")


async def _update(caller: Caller, arguments: UpdateNote) -> Outcome:
    """Where the note changed since the model saw it, but nothing that the model changes, the change is made all the
    same; else it is refused, and the model is told what is there now."""
    wanted = arguments.model_dump(exclude={"note_id", "expected_version"}, exclude_none=True)
    seen = expected = arguments.expected_version or caller.version_seen(arguments.note_id)
    tries = 0
    while True:
        try:
            note = await write(caller, arguments.note_id, expected, wanted)
        except VersionConflict as conflict:
            current = notes.Note.model_validate(conflict.details["current"])
            tries += 1
            if seen is None or tries == TRIES or not await _is_untouched(caller, seen, current, wanted):
                raise
            expected = current.version
        else:
            knows_text = "body" in wanted or (seen is not None and expected == seen)
            return changed(note, "update", knows_text=knows_text)


async def write(caller: Caller, note_id: str, expected: int | None, wanted: dict[str, Any]) -> notes.Note:
    request = notes.UpdateNote(
        actor=caller.actor,
        idempotency_key=caller.idempotency_key,
        id=note_id,
        expected_version=expected,
        **wanted,
    )
    return await ask(caller, notes.UPDATE, request)


async def _is_untouched(caller: Caller, seen: int, current: notes.Note, wanted: dict[str, Any]) -> bool:
    """Whether what is to be changed is as it was in the version that the model saw."""
    request = note_history.GetRevision(actor=caller.actor, id=current.id, version=seen)
    try:
        then = await ask(caller, note_history.REVISION, request)
    except NotFound:  # a version that is not kept any more, or that the model made up
        return False
    return all(getattr(then, name) == getattr(current, name) for name in wanted)


async def _delete(caller: Caller, arguments: ReadNote) -> Outcome:
    request = notes.DeleteNote(
        actor=caller.actor,
        idempotency_key=caller.idempotency_key,
        id=arguments.note_id,
        expected_version=caller.version_seen(arguments.note_id),
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
