"""edit_note: changes a part of a note, so that a long one is never rewritten to change a line."""

from typing import Annotated

from contracts.errors import ValidationFailed, VersionConflict
from contracts.ids import Id
from pydantic import Field, model_validator

from agent_service.tools.requests import ask
from agent_service.tools.tool import Arguments, Caller, Outcome, Tool
from agent_service.tools.writing import TRIES, changed, done_before, write
from contracts import notes


class EditNote(Arguments):
    note_id: Annotated[Id, Field(description="The note's id")]
    find: (
        Annotated[str, Field(min_length=1, description="Text to replace, exactly as it stands, occurring once")] | None
    ) = None
    replace: Annotated[str, Field(description="What to put in its place; empty to remove it")] | None = None
    append: Annotated[str, Field(min_length=1, description="Text to add at the end, on a new line")] | None = None
    expected_version: (
        Annotated[notes.Version, Field(description="The version to make it on; without it, what the note says by then")]
        | None
    ) = None

    @model_validator(mode="after")
    def _says_what(self) -> "EditNote":
        if self.find is None and self.append is None:
            raise ValueError("give `find` and `replace`, or `append`")
        return self


async def _edit(caller: Caller, arguments: EditNote) -> Outcome:
    if before := await done_before(caller, arguments.note_id):
        return changed(before, "update", unseen=True)
    tries = 0
    while True:
        note = await ask(caller, notes.GET, notes.GetNote(actor=caller.actor, id=arguments.note_id))
        if arguments.expected_version not in (None, note.version):
            raise VersionConflict(current=note.model_dump(mode="json"))
        try:
            after = await write(caller, note.id, note.version, {"body": edited(note.body, arguments)})
            return changed(after, "update", unseen=note.version != caller.context.seen.heads.get(note.id))
        except VersionConflict:  # somebody was quicker: the edit is made on what is there now
            tries += 1
            if arguments.expected_version is not None or tries == TRIES:
                raise


def edited(body: str, arguments: EditNote) -> str:
    """Raises `ValidationFailed` where the text to find is not there, or more than once."""
    if arguments.find is not None:
        count = body.count(arguments.find)
        if count != 1:
            raise ValidationFailed(_why(count), errors=[{"field": "find", "message": _why(count)}])
        body = body.replace(arguments.find, arguments.replace or "")
    if arguments.append is not None:
        separator = "" if not body or body.endswith("\n") else "\n"
        body = f"{body}{separator}{arguments.append}"
    return body


def _why(count: int) -> str:
    if count == 0:
        return "The text to find is not in the note. Read the note and give the text exactly as it stands."
    return f"The text to find is in the note {count} times. Give more of what stands around the right one."


EDITING = Tool(
    "edit_note",
    "Changes a part of a note's text: replaces one exact piece of it, or appends to it.",
    EditNote,
    _edit,
    "change",
)
