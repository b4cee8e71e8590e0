"""edit_note: changes a part of a note, so that a long one is never rewritten to change a line."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any

from pydantic import Field, model_validator

from agent_service.tools.requests import ask
from agent_service.tools.tool import Arguments, Caller, Outcome, Tool
from agent_service.tools.writing import TRIES, changed, done_before, write
from contracts import notes
from contracts.errors import ValidationFailed, VersionConflict
from contracts.ids import Id

PLACES = 5
AROUND_CHARACTERS = 40
QUOTES = re.compile("[\"'“”„‘’]")


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
        if self.find is None and (self.append is None or self.replace is not None):
            raise ValueError("give `find` and `replace`, or `append`, or all three")
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
        if body.count(arguments.find) != 1:
            raise _not_once(body, arguments.find)
        body = body.replace(arguments.find, arguments.replace or "")
    if arguments.append is not None:
        separator = "" if not body or body.endswith("\n") else "\n"
        body = f"{body}{separator}{arguments.append}"
    return body


def _not_once(body: str, find: str) -> ValidationFailed:
    """With what the model needs to be right the next time: the text as it really stands, or its places."""
    count = body.count(find)
    if count:
        why = f"The text to find is in the note {count} times. Give more of what stands around the right one."
        more: dict[str, Any] = {"places": list(islice(_places(body, find), PLACES))}
    elif alike := _alike(body, find):
        why = "The text to find is not in the note like this. `as_it_stands` has its spaces, capitals and quotes."
        more = {"as_it_stands": alike}
    else:
        why = "The text to find is not in the note. Read the note and give the text exactly as it stands."
        more = {}
    return ValidationFailed(why, errors=[{"field": "find", "message": why} | more])


def _places(body: str, find: str) -> Iterator[str]:
    """The text with what stands around it, for each place."""
    at = body.find(find)
    while at >= 0:
        yield body[max(0, at - AROUND_CHARACTERS) : at + len(find) + AROUND_CHARACTERS]
        at = body.find(find, at + len(find))


def _alike(body: str, find: str) -> str | None:
    """The one text that stands there instead, if it is one."""
    words = (QUOTES.sub(QUOTES.pattern, re.escape(word)) for word in find.split())
    found = {match[0] for match in islice(re.finditer(r"\s+".join(words), body, re.IGNORECASE), 2)}
    return found.pop() if len(found) == 1 and find.strip() else None


EDITING = Tool(
    "edit_note",
    "Changes a part of a note's text: replaces one exact piece of it, or appends to it.",
    EditNote,
    _edit,
    "change",
)
