"""How much one user may keep."""

from dataclasses import dataclass

from contracts.errors import QuotaExceeded


@dataclass(frozen=True)
class Quota:
    """Notes and bytes of their text; the trash counts, as it is kept."""

    notes: int
    size: int

    def check(self, used: "Used", after: "Used") -> None:
        """Raises `QuotaExceeded` for a write that asks for more than is left. Making less of it is always allowed."""
        if after.notes > max(self.notes, used.notes):
            raise QuotaExceeded(_full(f"{self.notes:,} note{'s' * (self.notes != 1)}"))
        if after.size > max(self.size, used.size):
            raise QuotaExceeded(_full(f"{_in_words(self.size)} of text"))


@dataclass(frozen=True)
class Used:
    notes: int
    size: int

    def with_more(self, notes: int, size: int) -> "Used":
        return Used(self.notes + notes, self.size + size)


def _full(holds: str) -> str:
    return (
        f"Your account is full: there is room for {holds}, and what is in the trash counts. "
        "Delete notes for good, or ask whoever runs this server for more room."
    )


def _in_words(size: int) -> str:
    """1,000 bytes, 64 KB, 1,536 KB, 1 GB: rounded where that changes little."""
    for unit, least in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
        if size >= 10 * least or size % least == 0:
            return f"{round(size / least):,} {unit}"
    return f"{size:,} bytes"
