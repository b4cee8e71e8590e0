"""The moments that are stored: those that every program of the system, and every format it writes, can hold.

PostgreSQL has more of them than Python, and asyncpg takes both ends of Python's calendar for infinity. The bounds are
far enough from those ends for every time zone, and their years have four digits.
"""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator

EARLIEST = datetime(1000, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)
"""Exclusive."""


def _in_utc(moment: datetime) -> datetime:
    try:
        in_utc = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        in_utc = None
    if in_utc is None or not EARLIEST <= in_utc < LATEST:
        raise ValueError(f"is not in the years {EARLIEST.year} to {LATEST.year - 1}")
    return in_utc


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A moment from outside, in UTC. Without a zone it is taken as UTC."""
