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
            raise QuotaExceeded(f"Your account is full: it holds {self.notes:,} notes, those in the trash included.")
        if after.size > max(self.size, used.size):
            full = f"Your account is full: it holds {self.size:,} bytes of notes, those in the trash included."
            raise QuotaExceeded(full)


@dataclass(frozen=True)
class Used:
    notes: int
    size: int

    def with_more(self, notes: int, size: int) -> "Used":
        return Used(self.notes + notes, self.size + size)
