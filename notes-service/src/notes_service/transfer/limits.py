"""How much of an upload is read."""

from dataclasses import dataclass

from contracts.notes import BODY_MAX_BYTES

FILE_MAX_BYTES = 4 * BODY_MAX_BYTES
"""Room for the largest body as UTF-16, and for its front matter."""
TOO_LARGE = f"This file is too large: a note holds at most {BODY_MAX_BYTES // 1024} KiB."


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one zip: the number of files, the unpacked bytes, and the ratio of those to its own size."""

    files: int = 10_000
    total_bytes: int = 1024**3
    ratio: int = 100


DEFAULT = Limits()
