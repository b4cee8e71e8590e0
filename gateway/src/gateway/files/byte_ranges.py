"""The Range header (RFC 9110), for one range. A request for several gets the whole, which a server may always send."""

import re

RANGE = re.compile(r"bytes=\s*(\d{0,15})-(\d{0,15})\s*", re.ASCII)


class NotSatisfiable(Exception):
    """The range begins behind the end."""


def parse_range(header: str | None, size: int) -> tuple[int, int] | None:
    """`(start, stop)`, without the byte at `stop`. None for the whole: without a header, and for one that is not
    understood, which is to be ignored. Raises `NotSatisfiable`."""
    match = RANGE.fullmatch(header) if header else None
    if match is None or match[0].endswith("=-"):
        return None
    first, last = match[1], match[2]
    if not first and not last:
        return None
    if not first:
        if int(last) == 0:
            raise NotSatisfiable
        return max(size - int(last), 0), size
    start, stop = int(first), min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    if start >= size:
        raise NotSatisfiable
    return start, stop
