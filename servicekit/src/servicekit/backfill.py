"""The data step of a migration: rows that the database cannot take are skipped and reported, so that one row of one
user does not prevent a service from starting. Used by migrations only, because it imports SQLAlchemy."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from sqlalchemy import Connection, TextClause
from sqlalchemy.exc import DBAPIError

log = structlog.stdlib.get_logger()

REFUSED_VALUES = ("22", "23", "54")
"""SQLSTATE classes of errors that are caused by a value: data exception, constraint violation, limit exceeded (an index
row, a `tsvector`). Anything else, such as a full disk or a lost connection, aborts the migration."""


def backfill(
    db: Connection, statement: TextClause, rows: Sequence[Mapping[str, Any]], *, identity: tuple[str, ...]
) -> int:
    """Executes `statement` with each of `rows`. Returns how many were skipped; the log names those by the parameters in
    `identity`, which must be ids, and contains no other values."""
    if not rows or _executed(db, statement, rows) is None:
        return 0
    skipped = 0
    for row in rows:
        if (refused := _executed(db, statement, [row])) is not None:
            skipped += 1
            log.warning("migration skipped a row", sqlstate=refused, **{name: str(row[name]) for name in identity})
    return skipped


def _executed(db: Connection, statement: TextClause, rows: Sequence[Mapping[str, Any]]) -> str | None:
    """Writes all of the rows, or none; returns the SQLSTATE with which the database refused one of them."""
    try:
        with db.begin_nested():
            db.execute(statement, rows)
    except DBAPIError as error:
        sqlstate = str(getattr(error.orig, "sqlstate", ""))
        if not sqlstate.startswith(REFUSED_VALUES):
            raise
        return sqlstate
    return None
