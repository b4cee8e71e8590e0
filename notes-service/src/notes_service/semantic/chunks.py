"""A note in chunks, each of which is embedded by itself: one vector says little about a long text."""

from dataclasses import dataclass

CHUNK_CHARACTERS = 2000
MAX_CHUNKS = 16
"""What stands further down in a very long note is found by its words alone."""
BREAKS = ("\n\n", "\n", " ")
"""Where a chunk best ends, the best first."""


@dataclass(frozen=True)
class Chunk:
    """`start`: where it begins in the body. `text`: what the model reads, title and tags before the part of the
    body."""

    start: int
    text: str


def chunks(title: str, tags: list[str], body: str) -> list[Chunk]:
    """At least one. Together they are the body from its beginning, without overlap."""
    head = "\n".join([title, " ".join(tags)]).strip()
    found: list[Chunk] = []
    start = 0
    while not found or (start < len(body) and len(found) < MAX_CHUNKS):
        end = _end(body, start)
        found.append(Chunk(start, f"{head}\n\n{body[start:end]}".strip()))
        start = end
    return found


def _end(body: str, start: int) -> int:
    """At the best break in the second half of the longest chunk."""
    latest = start + CHUNK_CHARACTERS
    if latest >= len(body):
        return len(body)
    for mark in BREAKS:
        if (at := body.rfind(mark, start + CHUNK_CHARACTERS // 2, latest)) >= 0:
            return at + len(mark)
    return latest
