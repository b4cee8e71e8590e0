"""edit_note: changes a part of a note, so that the model does not rewrite a long note to change one line."""

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from agent_service.tools.implementation import CallContext, Implementation, ToolOutcome
from agent_service.tools.requests import send
from agent_service.tools.writing import MAX_ATTEMPTS, earlier_result, write, written
from contracts import notes, tools
from contracts.errors import ValidationFailed, VersionConflict

MAX_PLACES = 5
CONTEXT_CHARACTERS = 40
QUOTES = re.compile("[\"'“”„‘’]")


async def _edit(call: CallContext, arguments: tools.EditNote) -> ToolOutcome:
    if before := await earlier_result(call, arguments.note_id):
        return written(before, "update", unread=True)
    attempts = 0
    while True:
        note = await send(call, notes.GET, notes.GetNote(actor=call.actor, id=arguments.note_id))
        if arguments.expected_version not in (None, note.version):
            raise VersionConflict(current=note.model_dump(mode="json"))
        try:
            after = await write(call, note.id, note.version, {"body": edited(note.body, arguments)})
            unread = note.version != call.run_context.read_versions.heads.get(note.id)
            return written(after, "update", unread=unread)
        except VersionConflict:  # a concurrent change won: the edit is made on the new version
            attempts += 1
            if arguments.expected_version is not None or attempts == MAX_ATTEMPTS:
                raise


def edited(body: str, arguments: tools.EditNote) -> str:
    """Raises `ValidationFailed` if the text to find does not occur exactly once."""
    if arguments.find is not None:
        if body.count(arguments.find) != 1:
            raise _not_once(body, arguments.find)
        body = body.replace(arguments.find, arguments.replace or "")
    if arguments.append is not None:
        separator = "" if not body or body.endswith("\n") else "\n"
        body = f"{body}{separator}{arguments.append}"
    return body


def _not_once(body: str, find: str) -> ValidationFailed:
    """With what the model needs for the next attempt: the occurrences, or the text that differs only in spaces, case or
    quotation marks."""
    count = body.count(find)
    if count:
        why = f"The text to find is in the note {count} times. Give more of what stands around the right one."
        more: dict[str, Any] = {"places": list(islice(_occurrences(body, find), MAX_PLACES))}
    elif similar := _similar_text(body, find):
        why = "The text to find is not in the note like this. `as_it_stands` has its spaces, capitals and quotes."
        more = {"as_it_stands": similar}
    else:
        why = "The text to find is not in the note. Read the note and give the text exactly as it stands."
        more = {}
    return ValidationFailed(why, errors=[{"field": "find", "message": why} | more])


def _occurrences(body: str, find: str) -> Iterator[str]:
    """Each occurrence with the text around it."""
    at = body.find(find)
    while at >= 0:
        yield body[max(0, at - CONTEXT_CHARACTERS) : at + len(find) + CONTEXT_CHARACTERS]
        at = body.find(find, at + len(find))


def _similar_text(body: str, find: str) -> str | None:
    """The text in the note that differs from `find` only in spaces, case or quotation marks; None if not unique."""
    words = (QUOTES.sub(QUOTES.pattern, re.escape(word)) for word in find.split())
    found = {match[0] for match in islice(re.finditer(r"\s+".join(words), body, re.IGNORECASE), 2)}
    return found.pop() if len(found) == 1 and find.strip() else None


EDITING = Implementation(tools.EDIT_NOTE, _edit)
