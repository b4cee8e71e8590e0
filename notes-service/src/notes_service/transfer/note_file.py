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
    front_matter: str = ""
    """As it is in the file, where that is not our own form: for writing what has not changed."""
    left_out: tuple[str, ...] = ()
    """What of the file's front matter was not taken: sentences for the user."""

    @classmethod
    def of(cls, note: Note, front_matter: str = "") -> "NoteFile":
        """The note as it will be written. Not validated again, so that everything that is stored can be exported."""
        content = {name: getattr(note, name) for name in NoteInput.model_fields}
        times = {"created": note.created_at, "updated": note.updated_at}
        return cls.model_construct(id=note.id, front_matter=front_matter, **times, **content)

    @classmethod
    def checked(cls, **fields: Any) -> "NoteFile":
        """Raises `Unreadable`."""
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise Unreadable(reason(error)) from None


def valid(name: str, value: object) -> Any:
    """The value of one field. Raises `Unreadable`."""
    try:
        return getattr(NoteFile.model_validate({"title": "x", name: value}), name)
    except ValidationError as error:
        raise Unreadable(reason(error)) from None


def reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    name, *inside = map(str, first["loc"])
    field = f"One of the {name}" if inside else f"The {name}" if name in NOUNS else f'"{name}"'
    form = REASONS.get(first["type"], "{field} is not valid.")
    return form.format(name=name, field=field, **first.get("ctx", {}))
