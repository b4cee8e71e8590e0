"""What a person can change of a note."""

from dataclasses import dataclass
from datetime import datetime

from contracts.notes import Note
from notes_service.links import linked_titles


@dataclass(frozen=True)
class Draft:
    """The next version of a note. `version` is the one it comes after; 0 for a new note.

    `created_at` and `updated_at` are for notes that were written elsewhere; None is now.
    """

    id: str
    title: str
    body: str
    tags: list[str]
    pinned: bool = False
    archived: bool = False
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @classmethod
    def of(cls, note: Note) -> "Draft":
        return cls(note.id, note.title, note.body, note.tags, note.pinned, note.archived, note.version)

    @property
    def searched(self) -> tuple[str, str, str]:
        """What search looks in: title, tags, body."""
        return self.title, " ".join(self.tags), self.body

    @property
    def links(self) -> set[str]:
        """The titles that the text links to."""
        return linked_titles(self.body)

    @property
    def size(self) -> int:
        """The bytes that count against the user's quota."""
        return sum(len(text.encode()) for text in (self.title, self.body, *self.tags))
