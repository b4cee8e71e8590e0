"""Errors in logs: their types and locations, without users' text.

The message of an error often quotes a value: PostgreSQL the row that breaks a constraint, pydantic the input, Python
the key or the text that is no number. So only the messages of errors about the environment are logged. For the others,
the log has the type, attributes that are codes or names (SQLSTATE, constraint, status), and the lines of code.
"""

import logging
import re
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, cast

import asyncpg
import orjson
from nats.errors import Error as NatsError
from pydantic import ValidationError

from servicekit.errors import Reportable

WITH_MESSAGE = (OSError, ImportError, NatsError, Reportable, asyncpg.InterfaceError, asyncpg.InternalClientError)
CODES = ("sqlstate", "constraint_name", "table_name", "column_name", "status_code", "code", "type")
CODE = re.compile(r"[\w.-]{1,63}", re.ASCII)
CAUSES_MAX = 5
FRAMES_MAX = 50

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def describe(error: BaseException) -> str:
    """The type, with the message or the codes as said above, and the same of its causes."""
    return " from ".join(_describe_one(one) for one in _chain(error))


def _describe_one(error: BaseException) -> str:
    name = type(error).__name__
    if isinstance(error, WITH_MESSAGE) and not isinstance(error, ValueError):  # asyncpg's DataError quotes the argument
        return f"{name}: {error}"
    if isinstance(error, ValidationError):
        kinds = sorted({detail["type"] for detail in error.errors(include_url=False, include_input=False)})
        return f"{name}: {error.title}: {', '.join(kinds)}"
    values = {code: getattr(error, code, None) for code in CODES}
    codes = [f"{code}={value}" for code, value in values.items() if CODE.fullmatch(str(value or ""))]
    return f"{name}: {' '.join(codes)}" if codes else name


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in chain and len(chain) < CAUSES_MAX:
        chain.append(following)
        hidden = following.__suppress_context__
        following = following.__cause__ or (None if hidden else following.__context__)
    return chain


def exception_entries(exc_info: ExcInfo) -> list[dict[str, Any]]:
    """The error and its causes, with the code that they went through, the innermost call last."""
    return [_entry(error) for error in _chain(exc_info[1])]


def _entry(error: BaseException) -> dict[str, Any]:
    calls = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)][-FRAMES_MAX:]
    entry: dict[str, Any] = {
        "error": _describe_one(error),
        "frames": [f"{code.co_filename}:{line} {code.co_name}" for code, line in calls],
    }
    if isinstance(error, BaseExceptionGroup):
        entry["exceptions"] = [_entry(part) for part in cast("BaseExceptionGroup[BaseException]", error).exceptions]
    return entry


def describe_errors(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor for structlog: errors given as values become their description."""
    for key, value in event.items():
        if isinstance(value, BaseException) and key != "exc_info":
            event[key] = describe(value)
    return event


class LibraryFormatter(logging.Formatter):
    """One JSON object a line for what libraries log, with their errors described in the same way."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        if isinstance(record.args, tuple):
            record.args = tuple(describe(arg) if isinstance(arg, BaseException) else arg for arg in record.args)
        entry: dict[str, Any] = {
            "service": self._service,
            "logger": record.name,
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1] is not None:
            entry["exception"] = exception_entries(record.exc_info)
        return orjson.dumps(entry).decode()
