"""Which note a request means: looked up with the tools; if several match, the user has to say which one."""

import re
import unicodedata
from collections.abc import Generator, Sequence
from difflib import SequenceMatcher
from typing import Any, Literal

from contracts.notes import QUERY_MAX_CHARACTERS
from contracts.tools import LIST_MAX, LIST_NOTES, READ_NOTE, SEARCH_NOTES, Tool
from demo_model.history import Result
from demo_model.intents import Linked, Named, Nth, Pronoun, Target
from demo_model.memory import Memory, NoteRef, refs
from demo_model.reply import ToolCall
from demo_model.sentences import numbered

Calls = tuple[ToolCall, ...]
Results = tuple[Result, ...]

Use = Literal["read", "change", "replace"]
"""What the note is for; "replace" also means to delete it."""

SEARCH_LIMIT = 10
SIMILAR = 0.75


class Stuck(Exception):
    """The plan cannot continue; the message is what the model says instead of the rest."""


class WhichOne(Stuck):
    """Several notes match. `candidates` in the order in which they are shown."""

    def __init__(self, message: str, candidates: Sequence[NoteRef]) -> None:
        super().__init__(f"{message}\n\n{numbered(candidates)}")
        self.candidates = candidates


def call(tool: Tool[Any], **arguments: object) -> Generator[Calls, Results, Result]:
    """One call of a tool and its result. A call refused because the note changed is repeated once; a note that must be
    read first is read."""
    request = ToolCall(tool.name, {key: value for key, value in arguments.items() if value is not None})
    (result,) = yield (request,)
    if result.unread:
        must((yield (ToolCall(READ_NOTE.name, {"note_id": arguments["note_id"]}),))[0], "read the note")
    if result.stale or result.unread:
        (result,) = yield (request,)
    return result


def must(result: Result, what: str) -> Result:
    """The result of a call that succeeded. Raises `Stuck` with the tool's error otherwise."""
    if result.error is not None:
        raise Stuck(f"I could not {what}: {result.error}")
    return result


def find(target: Target, memory: Memory, use: Use) -> Generator[Calls, Results, NoteRef]:
    """The note meant. A note to change must have the words, or some like them, in its title; one whose text may be
    lost must have the very words there."""
    match target:
        case Pronoun(word):
            return _pointed_at(word, memory)
        case Linked(note_id, title):
            return NoteRef(note_id, title)
        case Nth(place):
            return _listed(place, memory)
        case Named(words, about):
            return (yield from _named(words, about=about, use=use))


def _pointed_at(word: str, memory: Memory) -> NoteRef:
    opened = NoteRef(memory.open_note) if memory.open_note else None
    if opened and memory.last and opened.id == memory.last.id:
        opened = memory.last
    note = (opened or memory.last) if word == "this" else (memory.last or opened)
    if note is None:
        raise Stuck("Which note do you mean? Tell me its title, for example: read “Shopping list”.")
    return note


def _listed(place: int, memory: Memory) -> NoteRef:
    if place == -1 and not memory.listed:
        return _pointed_at("it", memory)
    index = place - 1 if place > 0 else place
    if not -len(memory.listed) <= index < len(memory.listed):
        raise Stuck("I have not shown you a list with that many notes. Tell me the title of the note you mean.")
    return memory.listed[index]


def _named(words: str, *, about: bool, use: Use) -> Generator[Calls, Results, NoteRef]:
    if not plain(words):
        raise Stuck("Which note do you mean? Tell me its title.")
    hits = refs(
        must(
            (yield from call(SEARCH_NOTES, query=words[:QUERY_MAX_CHARACTERS], limit=SEARCH_LIMIT)),
            "search your notes",
        )
    )
    chosen = choose(words, hits, about=about, reading=use == "read")
    if chosen:
        return chosen
    if hits:
        problem = f"I found {len(hits)} notes" if len(hits) > 1 else "I found no note with that title, only this one"
        raise WhichOne(f"{problem} for “{words}”. Which one do you mean?", hits)
    everything = refs(must((yield from call(LIST_NOTES, limit=LIST_MAX)), "list your notes"))
    similar = [note for note in everything if _similar(words, note.title)]
    if len(similar) == 1 and use != "replace":
        return similar[0]
    if similar:
        raise WhichOne(f"I found no note “{words}”. Do you mean one of these?", similar)
    raise Stuck(f"I found no note for “{words}”, so I did nothing.")


def choose(words: str, hits: Sequence[NoteRef], *, about: bool, reading: bool) -> NoteRef | None:
    """The one note that the words name: by its whole title, as the only hit, or as the only title with the words."""
    exact = [note for note in hits if plain(note.title) in {plain(words), plain(f"{words} note")}]
    if exact:
        return exact[0] if len(exact) == 1 else None
    titled = [note for note in hits if all(word in plain(note.title) for word in plain(words).split())]
    if len(titled) == 1 and (not about or len(hits) == 1):
        return titled[0]
    return hits[0] if len(hits) == 1 and (about or reading) else None


def plain(text: str) -> str:
    """Words without case, Unicode form or punctuation, to compare titles by."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded)) or folded.strip()


def _similar(words: str, title: str) -> bool:
    wanted, given = plain(words), plain(title)
    return wanted in given or SequenceMatcher(None, wanted, given).ratio() >= SIMILAR
