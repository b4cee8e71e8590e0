"""The cursor of a page of notes: its last position, as opaque text for the client."""

import base64
from datetime import datetime, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, model_validator

from contracts.errors import ValidationFailed
from contracts.ids import Id
from contracts.moments import EARLIEST, LATEST
from contracts.notes import NoteSummary, Sort
from contracts.text import no_nul
from notes_service.folding import sort_key


class Position(BaseModel):
    """The last note of a page. `key`: the value by which the notes are sorted."""

    sort: Sort
    pinned: bool
    key: Annotated[str, AfterValidator(no_nul)]
    id: Id

    @classmethod
    def of(cls, note: NoteSummary, sort: Sort) -> "Position":
        keys = {
            "updated": note.updated_at.isoformat(),
            "created": note.created_at.isoformat(),
            "title": sort_key(note.title),
        }
        return cls(sort=sort, pinned=note.pinned, key=keys[sort], id=note.id)

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        _ = self.value
        return self

    @property
    def value(self) -> str | datetime:
        """The key as the database compares it. Raises `ValueError` if it should be a time and is not."""
        if self.sort == "title":
            return self.key
        time = datetime.fromisoformat(self.key)
        if time.utcoffset() != timedelta(0):
            raise ValueError("not in UTC")
        if not EARLIEST <= time < LATEST:
            raise ValueError("no note has such a time")
        return time

    def encode(self) -> str:
        return base64.urlsafe_b64encode(self.model_dump_json().encode()).decode().rstrip("=")


def decode(cursor: str, sort: Sort) -> Position:
    """Raises `ValidationFailed` for anything that was not made by `encode` for this order."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        position = Position.model_validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
    except ValueError:  # a ValidationError and a binascii.Error are ValueErrors
        position = None
    if position is None or position.sort != sort:
        raise ValidationFailed(errors=[{"field": "cursor", "message": "is not where a page of this list ends"}])
    return position
