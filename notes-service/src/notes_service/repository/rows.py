"""The columns that make a note, and a row as a note."""

from collections.abc import Mapping
from typing import Any

from contracts.notes import Note, NoteSummary

HEAD = (
    "notes.id::text, title, tags, pinned, archived, notes.version, notes.created_at, updated_at, deleted_at, updated_by"
)
SUMMARY = f"{HEAD}, preview"
NOTE = f"{HEAD}, body"


def note(row: Mapping[str, Any]) -> Note:
    return Note.model_validate(dict(row))


def summary(row: Mapping[str, Any]) -> NoteSummary:
    return NoteSummary.model_validate(dict(row))
