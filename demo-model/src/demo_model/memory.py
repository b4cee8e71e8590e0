"""What the conversation shows of the notes: which one was used last, which were listed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from contracts.tools import DELETE_NOTE, LIST_NOTES, SEARCH_NOTES
from demo_model.history import Result
from demo_model.intents import Intent
from demo_model.reply import ToolCall


@dataclass(frozen=True)
class NoteRef:
    """A note by its id; `title` is empty while unknown, `text` is what was last shown of its body."""

    id: str
    title: str = ""
    text: str = ""

    @property
    def name(self) -> str:
        return f"“{self.title}”" if self.title else "the note"


@dataclass
class Memory:
    """`unresolved`: the intents that wait for the user's reply to "which one?"."""

    open_note: str | None = None
    last: NoteRef | None = None
    listed: Sequence[NoteRef] = ()
    unresolved: Sequence[Intent] = ()

    def knows(self, note_id: str) -> bool:
        """Whether the conversation shows the note, at least in a list."""
        return any(note.id == note_id for note in ((self.last,) if self.last else ()) + tuple(self.listed))

    def learn(self, call: ToolCall, result: Result) -> None:
        if result.error is not None:
            return
        if call.name in {LIST_NOTES.name, SEARCH_NOTES.name}:
            self.listed = refs(result)
            if len(self.listed) == 1:
                self.last = self.listed[0]
        elif call.name == DELETE_NOTE.name:
            if self.last and self.last.id == call.arguments.get("note_id"):
                self.last = None
        elif note := _used(call, result, self.last):
            self.last = note


def refs(result: Result) -> list[NoteRef]:
    """The notes of a list or a search."""
    return [
        NoteRef(str(note["id"]), str(note.get("title", "")), str(note.get("snippet") or note.get("preview") or ""))
        for note in result.objects("notes")
        if "id" in note
    ]


def _used(call: ToolCall, result: Result, last: NoteRef | None) -> NoteRef | None:
    """The note that a call read or wrote, with what is known of it now."""
    note_id = str(result.data.get("id") or call.arguments.get("note_id") or "")
    if not note_id:
        return None
    known = last if last and last.id == note_id else NoteRef(note_id)
    return NoteRef(
        note_id,
        _first(result.data.get("title"), call.arguments.get("title"), known.title),
        _first(result.data.get("body"), call.arguments.get("body"), known.text),
    )


def _first(*values: Any) -> str:
    return next((value for value in values if isinstance(value, str) and value), "")
