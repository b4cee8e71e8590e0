"""Moments as people and programs write them in front matter."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

from dateutil import parser

TEXT_MAX_CHARACTERS = 80
LINK = re.compile(r"\[\[(?:[^\]|]*/)?([^\]|#]+)[^\]]*\]\]")
PLACEHOLDER = re.compile(r"\{\{|<%")
"""Of the templates of Obsidian and Templater."""
DIGITS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
"""Without a separator these are calendar dates, for example the ids of Zettlr. 10 and 13 digits are seconds and
milliseconds since 1970."""
DAY_FIRST = re.compile(r"\d{1,2}\.\s*\d{1,2}\.\s*\d{2,4}")
"""As in German. With slashes, the month is read first where both could be."""
OFFSET = re.compile(r"(?:GMT|UTC)(?=[+-]\d)")
"""As JavaScript writes it; dateutil reads `GMT+2` as POSIX does, which is west of Greenwich."""
LEAP_SECOND = re.compile(r"(?<=\d\d:\d\d:)60(?!\d)|(?<=^\d{12})60$")
"""RFC 3339 has it, and `datetime` does not: it is the second before."""
CJK_DATE = re.compile(r"(\d+)\s*年\s*(\d+)\s*月\s*(\d+)\s*日")
GERMAN_MONTHS = ("Jan|Januar", "Feb|Februar", "Mär|März|Mrz", "April", "Mai", "Juni", "Juli", "August", "September",
                 "Okt|Oktober", "November", "Dez|Dezember")  # fmt: skip
GERMAN_WEEKDAYS = ("Montag|Mo", "Dienstag|Di", "Mittwoch|Mi", "Donnerstag|Do", "Freitag|Fr", "Samstag|Sa", "Sonntag|So")
ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "CET": 1, "CEST": 2}
"""In hours; those of America as in RFC 5322."""
FILLED_IN = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2001, 2, 2, tzinfo=UTC))
"""dateutil completes a date from one of these. If both give the same, nothing was missing."""


class _Words(parser.parserinfo):
    """English, which dateutil knows, and German."""

    MONTHS: ClassVar[Any] = [
        (*known, *german.split("|")) for known, german in zip(parser.parserinfo.MONTHS, GERMAN_MONTHS, strict=True)
    ]
    WEEKDAYS: ClassVar[Any] = [
        (*known, *german.split("|")) for known, german in zip(parser.parserinfo.WEEKDAYS, GERMAN_WEEKDAYS, strict=True)
    ]
    JUMP: ClassVar[Any] = [*parser.parserinfo.JUMP, "um", "uhr", "den"]


WORDS = _Words()
WORDS_DAY_FIRST = _Words(dayfirst=True)


def parse(text: str) -> datetime | None:
    """None if it is no date with year, month and day, or a placeholder. Without a zone the moment is in UTC."""
    text = LEAP_SECOND.sub("59", LINK.sub(r"\1", text).strip())
    if not text or len(text) > TEXT_MAX_CHARACTERS or PLACEHOLDER.search(text):
        return None
    try:
        moment = _digits(text) if text.isascii() and text.isdecimal() else _words(text)
    except (ValueError, ArithmeticError, LookupError, TypeError, AttributeError):  # dateutil's, for odd texts
        return None
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=UTC)


def _digits(text: str) -> datetime | None:
    if form := DIGITS.get(len(text)):
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    if len(text) in (10, 13):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text.ljust(13, "0")))
    return None


def _words(text: str) -> datetime | None:
    if (moment := _iso(text)) is not None:
        return moment
    words = WORDS_DAY_FIRST if DAY_FIRST.match(text) else WORDS
    text = OFFSET.sub("", CJK_DATE.sub(r"\1-\2-\3 ", text))
    first, second = (
        parser.parse(text, words, default=default.replace(tzinfo=None), tzinfos=_zone) for default in FILLED_IN
    )
    return first if first == second else None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _zone(name: str | None, offset: int | None) -> timezone | None:
    if offset is None and name in ZONES:
        offset = ZONES[name] * 3600
    return None if offset is None else timezone(timedelta(seconds=offset))
