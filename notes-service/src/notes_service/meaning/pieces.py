"""A note in the pieces that are learnt one by one, as a vector tells little of a long text."""

from dataclasses import dataclass

PIECE_CHARACTERS = 2000
MOST_PIECES = 16
"""What stands further down in a very long note is found by its words alone."""
ENDS = ("\n\n", "\n", " ")
"""Where a piece best ends."""


@dataclass(frozen=True)
class Piece:
    """`start`: where it begins in the body. `text`: what the model reads, the title with it."""

    start: int
    text: str


def pieces(title: str, tags: list[str], body: str) -> list[Piece]:
    """At least one."""
    head = "\n".join([title, " ".join(tags)]).strip()
    found: list[Piece] = []
    start = 0
    while not found or (start < len(body) and len(found) < MOST_PIECES):
        end = _end(body, start)
        found.append(Piece(start, f"{head}\n\n{body[start:end]}".strip()))
        start = end
    return found


def _end(body: str, start: int) -> int:
    latest = start + PIECE_CHARACTERS
    if latest >= len(body):
        return len(body)
    for mark in ENDS:
        if (at := body.rfind(mark, start + PIECE_CHARACTERS // 2, latest)) >= 0:
            return at + len(mark)
    return latest
