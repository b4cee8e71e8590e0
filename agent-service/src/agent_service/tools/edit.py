"""edit_note: changes a part of a note, so that the model does not rewrite a long note to change one line."""

import asyncio
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, islice
from typing import Any

from agent_service.tools.implementation import CallContext, Implementation, ToolOutcome
from agent_service.tools.requests import send
from agent_service.tools.writing import MAX_ATTEMPTS, earlier_result, write, written
from contracts import notes, tools
from contracts.errors import ValidationFailed, VersionConflict

MAX_PLACES = 5
CONTEXT_CHARACTERS = 40
QUOTES = re.compile("[\"'“”„‘’]")
WORD = re.compile(r"\S+")


async def _edit(call: CallContext, arguments: tools.EditNote) -> ToolOutcome:
    if before := await earlier_result(call, arguments.note_id):
        return written(before, "update", unread=True)
    attempts = 0
    while True:
        note = await send(call, notes.GET, notes.GetNote(actor=call.actor, id=arguments.note_id))
        if arguments.expected_version not in (None, note.version):
            raise VersionConflict(current=note.model_dump(mode="json"))
        try:
            body = await asyncio.to_thread(edited, note.body, arguments)  # a long note may take too long for the loop
            after = await write(call, note.id, note.version, {"body": body})
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
    """The text in the note that differs from `find` only in spaces, case or quotation marks; None if not unique.

    In time proportional to both: the two are compared in a form in which such differences are gone, and the words'
    places lead back to the note.
    """
    wanted = " ".join(_alike(word) for word in find.split())
    words = list(WORD.finditer(body))
    alike = " ".join(_alike(word[0]) for word in words)
    starts = list(accumulate((len(word[0]) + 1 for word in words), initial=0))
    found: set[str] = set()
    at = alike.find(wanted) if wanted else -1
    while at >= 0 and len(found) < 2:
        found.add(body[_place(at, words, starts) : _place(at + len(wanted) - 1, words, starts) + 1])
        at = alike.find(wanted, at + len(wanted))
    return found.pop() if len(found) == 1 else None


def _alike(word: str) -> str:
    """As long as the word, and the same for words that differ in case or quotation marks."""
    lower = word.lower()
    return QUOTES.sub('"', lower if len(lower) == len(word) else word)


def _place(at: int, words: Sequence[re.Match[str]], starts: Sequence[int]) -> int:
    """Where in the note the character is that is at `at` in the words with one space between them. It is in a word:
    what is looked for begins and ends with one."""
    number = bisect_right(starts, at) - 1
    return words[number].start() + at - starts[number]


EDITING = Implementation(tools.EDIT_NOTE, _edit)
