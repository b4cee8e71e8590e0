"""Collects errors, classified by their effect on the user."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["lost", "repeated", "stuck", "wrong"]
"""`lost`: something that should be there is not. `repeated`: it is there twice. `stuck`: it did not end in time.
`wrong`: an answer that nobody should ever get, such as a 500."""

SHOWN = 40


@dataclass
class Troubles:
    all: list[tuple[Kind, str]] = field(default_factory=list[tuple[Kind, str]])

    def add(self, kind: Kind, what: str) -> None:
        self.all.append((kind, what))

    def check(self, kind: Kind, holds: bool, what: str) -> bool:
        if not holds:
            self.add(kind, what)
        return holds

    def count(self) -> Counter[Kind]:
        return Counter(kind for kind, _ in self.all)

    def __str__(self) -> str:
        counts = Counter(f"{kind}: {what}" for kind, what in self.all).most_common(SHOWN)
        return "\n".join(what if times == 1 else f"{what} ({times} times)" for what, times in counts)
