"""A note in a file: everything but its history."""

from collections.abc import Sequence
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
    left_out: tuple[str, ...] = ()
    """What of the file's front matter was not taken: sentences for the user."""

    @classmethod
    def of(cls, note: Note) -> "NoteFile":
        """The note as it will be written. Not validated again, so that everything that is stored can be exported."""
        content = {name: getattr(note, name) for name in NoteInput.model_fields}
        return cls.model_construct(id=note.id, created=note.created_at, updated=note.updated_at, **content)

    @classmethod
    def checked(cls, fields: dict[str, Any], title: str, left_out: Sequence[str] = ()) -> "NoteFile":
        """Fields that are not valid are left out, a title is replaced by `title`. For the body raises `Unreadable`."""
        try:
            return cls.model_validate(fields | {"left_out": tuple(left_out)})
        except ValidationError as error:
            reasons = _reasons(error)
        if reason := reasons.get("body"):
            raise Unreadable(reason)
        valid = {name: value for name, value in fields.items() if name not in reasons}
        said = [f"{reason[:-1]}, so it is left out." for reason in reasons.values()]
        return cls.checked({"title": title} | valid, title, [*left_out, *said])


def _reasons(error: ValidationError) -> dict[str, str]:
    """By the name of the field."""
    reasons: dict[str, str] = {}
    for first in error.errors(include_url=False, include_input=False):
        name, *inside = map(str, first["loc"])
        field = f"One of the {name}" if inside else f"The {name}" if name in NOUNS else f'"{name}"'
        form = REASONS.get(first["type"], "{field} is not valid.")
        reasons.setdefault(name, form.format(name=name, field=field, **first.get("ctx", {})))
    return reasons
