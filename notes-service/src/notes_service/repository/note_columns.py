"""The columns that hold a note, derived from the models of `contracts.notes`, and rows as these models.

Every field of `Note`, `NoteSummary` and `Revision` is a column of the same name. A field that is added to `NoteContent`
needs a column in `notes` and in `revisions`, and no change in the statements.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from contracts.notes import Note, NoteContent, NoteSummary

CONTENT = tuple(NoteContent.model_fields)
"""The fields that a writer may change: columns of both `notes` and `revisions`."""


def size(rows: str) -> str:
    """The bytes of a row of `notes` or `revisions` that count against the quota, as `note_transaction` counts them."""
    return (
        f"octet_length({rows}.title) + octet_length({rows}.body) + octet_length(array_to_string({rows}.tags, '')) "
        f"+ CASE {rows}.properties::text WHEN '{{}}' THEN 0 ELSE octet_length({rows}.properties::text) END"
    )


def _of_notes(name: str) -> str:
    return "notes.id::text" if name == "id" else f"notes.{name}"


SUMMARY = ", ".join(map(_of_notes, NoteSummary.model_fields))
"""The columns that `note_summary` reads, to be selected from `notes`."""
NOTE = ", ".join(map(_of_notes, Note.model_fields))
"""The columns that `note` reads, to be selected from `notes`."""


def note(row: Mapping[str, Any]) -> Note:
    return Note.model_validate(dict(row))


_SUMMARIES = TypeAdapter(list[NoteSummary])


def note_summaries(rows: Iterable[Mapping[str, Any]]) -> list[NoteSummary]:
    """As `note_summary` for each, at two thirds of the cost."""
    return _SUMMARIES.validate_python([dict(row) for row in rows])


def note_summary(row: Mapping[str, Any]) -> NoteSummary:
    return NoteSummary.model_validate(dict(row))
