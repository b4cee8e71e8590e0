"""The quota: how much one user may store."""

from dataclasses import dataclass

from contracts.errors import QuotaExceeded


@dataclass(frozen=True)
class Usage:
    """What a user has stored: notes, including the trash, the bytes of their texts, titles and tags, and the bytes of
    their earlier versions."""

    notes: int
    size: int
    history: int

    def plus(self, notes: int, size: int, history: int) -> "Usage":
        return Usage(self.notes + notes, self.size + size, self.history + history)


@dataclass(frozen=True)
class Quota:
    """The limits of one user. The history may be as large as the notes; its oldest versions are deleted to make room
    for new ones, so no write is refused because of it."""

    notes: int
    size: int

    @property
    def history(self) -> int:
        return self.size

    def check(self, before: Usage, after: Usage) -> None:
        """Raises `QuotaExceeded` for a write after which the user exceeds the quota, or exceeds it by more than before.
        A write that needs no more room is always allowed."""
        if after.notes > max(self.notes, before.notes):
            raise QuotaExceeded(_message(f"{self.notes:,} note{'s' * (self.notes != 1)}"))
        if after.size > max(self.size, before.size):
            raise QuotaExceeded(_message(f"{_readable(self.size)} of text"))


def _message(limit: str) -> str:
    return (
        f"Your account is full: there is room for {limit}, including the trash. "
        "Delete notes for good, or ask the administrator of this server for more space."
    )


def _readable(size: int) -> str:
    """1,000 bytes, 64 KB, 1,536 KB, 1 GB: rounded if the error is small."""
    for unit, least in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
        if size >= 10 * least or size % least == 0:
            return f"{round(size / least):,} {unit}"
    return f"{size:,} bytes"
