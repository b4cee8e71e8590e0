"""Tools that change notes: create_note, update_note, delete_note."""

from typing import Annotated, Any

from contracts.ids import Id
from pydantic import Field

from agent_service.tools.reading import ReadNote
from agent_service.tools.requests import ask
from agent_service.tools.tool import Arguments, Caller, Change, Outcome, Tool
from contracts import notes

BodyText = Annotated[notes.Body, Field(description="The text, in Markdown")]
TagList = Annotated[notes.Tags, Field(description="All tags the note is to have")]


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


def changed(note: notes.Note, op: notes.ChangeOp, **more: Any) -> Outcome:
    shown = {"id": note.id, "title": note.title, "version": note.version}
    return Outcome(shown | more, Change(op, note.id, note.version))


async def _create(caller: Caller, arguments: CreateNote) -> Outcome:
    request = notes.CreateNote(
        actor=caller.actor, idempotency_key=caller.idempotency_key, **arguments.model_dump(exclude_unset=True)
    )
    return changed(await ask(caller, notes.CREATE, request), "create")


async def _update(caller: Caller, arguments: UpdateNote) -> Outcome:
    """A new body is refused where the note changed since the model read it; the rest overwrites nothing unseen."""
    seen = caller.context.versions.get(arguments.note_id) if arguments.body is not None else None
    request = notes.UpdateNote(
        actor=caller.actor,
        idempotency_key=caller.idempotency_key,
        id=arguments.note_id,
        expected_version=seen,
        **arguments.model_dump(exclude={"note_id"}),
    )
    return changed(await ask(caller, notes.UPDATE, request), "update")


async def _delete(caller: Caller, arguments: ReadNote) -> Outcome:
    request = notes.DeleteNote(actor=caller.actor, idempotency_key=caller.idempotency_key, id=arguments.note_id)
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
