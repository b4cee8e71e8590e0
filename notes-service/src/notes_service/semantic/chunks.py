"""Splits a note into chunks, each of which is embedded by itself: one vector cannot represent a long text."""

from dataclasses import dataclass

CHUNK_CHARACTERS = 2000
MAX_CHUNKS = 16
"""The rest of a very long note is found by full-text search only."""
BREAKS = ("\n\n", "\n", " ")
"""The places at which a chunk may end, the best first."""


@dataclass(frozen=True)
class Chunk:
    """`start`: its offset in the body. `text`: the model's input: title, tags, and the part of the body."""

    start: int
    text: str


def chunks(title: str, tags: list[str], body: str) -> list[Chunk]:
    """At least one chunk. Together they are the body from its beginning, without overlap."""
    head = "\n".join([title, " ".join(tags)]).strip()
    found: list[Chunk] = []
    start = 0
    while not found or (start < len(body) and len(found) < MAX_CHUNKS):
        end = _end(body, start)
        found.append(Chunk(start, f"{head}\n\n{body[start:end]}".strip()))
        start = end
    return found


def _end(body: str, start: int) -> int:
    """The end of a chunk: at the best break in the second half of the maximum length."""
    latest = start + CHUNK_CHARACTERS
    if latest >= len(body):
        return len(body)
    for mark in BREAKS:
        if (at := body.rfind(mark, start + CHUNK_CHARACTERS // 2, latest)) >= 0:
            return at + len(mark)
    return latest
