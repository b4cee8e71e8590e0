"""A note in a file: everything but its history."""

from typing import Any

from pydantic import ConfigDict, ValidationError

from contracts.ids import Id
from contracts.moments import Moment
from contracts.notes import Note, NoteInput

NOUNS = {"title", "body", "id"}
REASONS = {
    "string_too_long": "{field} is longer than {max_length} characters.",
    "string_too_short": "{field} is empty.",
    "string_type": "{field} must be text.",
    "list_type": "{field} must be a list.",
    "too_long": "There are more than {max_length} {name}.",
    "bool_type": "{field} must be true or false.",
    "bool_parsing": "{field} must be true or false.",
    "datetime_type": "{field} must be a date and time.",
    "datetime_parsing": "{field} must be a date and time.",
    "datetime_from_date_parsing": "{field} must be a date and time.",
    "datetime_object_invalid": "{field} must be a date and time.",
    "value_error": "{field} {error}.",
}


class Unreadable(Exception):
    """A file cannot become a note. The message is a sentence for the user."""


class NoteFile(NoteInput):
    """`id` and the times are None if the file does not have them; the times are in UTC."""

    model_config = ConfigDict(frozen=True)

    id: Id | None = None
    created: Moment | None = None
    updated: Moment | None = None

    @classmethod
    def of(cls, note: Note) -> "NoteFile":
        """The note as it will be written. Not validated again, so that everything that is stored can be exported."""
        content = {name: getattr(note, name) for name in NoteInput.model_fields}
        return cls.model_construct(id=note.id, created=note.created_at, updated=note.updated_at, **content)

    @classmethod
    def checked(cls, fields: dict[str, Any]) -> "NoteFile":
        """Raises `Unreadable` for the first invalid field."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise Unreadable(_reason(error)) from None


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    name, *inside = first["loc"]
    field = f"One of the {name}" if inside else f"The {name}" if name in NOUNS else f'"{name}"'
    return REASONS.get(first["type"], "{field} is not valid.").format(name=name, field=field, **first.get("ctx", {}))
