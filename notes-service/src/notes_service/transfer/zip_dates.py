"""The modification time of a zip's entry: as a DOS date, and in UTC as Unix programs add it."""

import struct
from datetime import UTC, datetime
from zipfile import ZipInfo

NO_DATE = (1980, 1, 1, 0, 0, 0)
LAST_DATE = (2107, 12, 31, 23, 59, 58)
UNIX_TIME = 0x5455
"""The extra field "UT": a byte of flags, then seconds since 1970 in 32 bits."""
HAS_MODIFIED = 1
MAX_SECONDS = 2**31 - 1


def stamp(entry: ZipInfo, modified: datetime) -> None:
    moment = modified.astimezone(UTC)
    entry.date_time = min(max(moment.timetuple()[:6], NO_DATE), LAST_DATE)
    seconds = int(moment.timestamp())
    if 0 <= seconds <= MAX_SECONDS:
        entry.extra = struct.pack("<HHBl", UNIX_TIME, 5, HAS_MODIFIED, seconds)


def modified(entry: ZipInfo) -> datetime | None:
    """None if the zip has no time. A DOS date has no zone and is read as UTC."""
    if (seconds := _unix_seconds(entry.extra)) is not None:
        return datetime.fromtimestamp(seconds, UTC)
    try:
        return None if entry.date_time <= NO_DATE else datetime(*entry.date_time, tzinfo=UTC)
    except ValueError:
        return None


def _unix_seconds(extra: bytes) -> int | None:
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        if kind == UNIX_TIME and size >= 5 and len(extra) >= 9 and extra[4] & HAS_MODIFIED:
            return struct.unpack_from("<l", extra, 5)[0]
        extra = extra[4 + size :]
    return None
