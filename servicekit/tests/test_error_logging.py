"""Errors in logs: enough to find their cause, and no users' text."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import asyncpg
import orjson
import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError
from sqlalchemy.exc import DBAPIError

from servicekit.database import migrate
from servicekit.error_logging import LibraryFormatter, describe, exception_entries
from servicekit.errors import Unreachable
from standalone.postgres import Postgres

CANARY = "canary7f3a"


class Titled(BaseModel):
    title: int


def _key() -> object:
    return {}[CANARY]


def _grouped() -> object:
    raise ExceptionGroup(CANARY, [ValueError(CANARY), KeyError(CANARY)])


def _caused() -> object:
    try:
        return int(CANARY)
    except ValueError as error:
        raise RuntimeError(CANARY) from error


def _noted() -> object:
    error = RuntimeError("x")
    error.add_note(CANARY)
    raise error


ERRORS: list[Callable[[], object]] = [
    _key,
    _grouped,
    _caused,
    _noted,
    lambda: int(CANARY),
    f"{CANARY}\ud800".encode,
    lambda: orjson.loads(f'{{"{CANARY}'),
    lambda: Titled.model_validate({"title": CANARY}),
    lambda: TypeAdapter(dict[int, int]).validate_python({CANARY: CANARY}),
]


def _raised(action: Callable[[], object]) -> Exception:
    try:
        action()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize("action", ERRORS)
def test_what_people_wrote_is_in_no_description(action: Callable[[], object]) -> None:
    error = _raised(action)
    entries = exception_entries((type(error), error, error.__traceback__))
    text = f"{describe(error)} {orjson.dumps(entries).decode()}"
    assert CANARY not in text
    assert type(error).__name__ in text
    assert "test_error_logging.py" in text


FAILING = {
    "a row that breaks a constraint": ("INSERT INTO canary VALUES ($1, 1), ($1, 2)", CANARY),
    "a value that breaks a check": ("INSERT INTO canary VALUES ($1, -1)", CANARY),
    "a value of another type": ("SELECT $1::text::uuid", CANARY),
    "an argument that cannot be sent": ("SELECT $1::int", CANARY),
    "text that is no query": ("SELECT $1::text::tsquery", f"{CANARY} ("),
    "text that is no JSON": ("SELECT $1::text::jsonb", f"{{{CANARY}"),
    "an index row that is too large": ("INSERT INTO canary SELECT $1 || string_agg(x, '') FROM "
    "(SELECT md5(n::text) AS x FROM generate_series(1, 300) AS n) AS many", CANARY),
    "a message of our own": ("DO $$ BEGIN RAISE EXCEPTION 'canary7f3a' USING DETAIL = 'canary7f3a'; END $$", None),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILING)
async def test_what_the_database_quotes_is_in_no_log(postgres: Postgres, case: str) -> None:
    """Neither in our log nor in PostgreSQL's own."""
    sql, value = FAILING[case]
    db = await asyncpg.connect(postgres.dsn("notes"))
    try:
        await db.execute("CREATE TABLE canary (word text PRIMARY KEY, number int CHECK (number > 0))")
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)) as raised:
            await db.execute(sql, *([] if value is None else [value]))
    finally:
        await db.execute("DROP TABLE IF EXISTS canary")
        await db.close()
    error = raised.value
    assert CANARY in f"{error}{getattr(error, 'detail', '')}" or "index row" in str(
        error
    )  # the error itself contains it
    entries = exception_entries((type(error), error, error.__traceback__))
    assert CANARY not in f"{describe(error)} {orjson.dumps(entries).decode()}"
    if sqlstate := getattr(error, "sqlstate", None):
        assert f"sqlstate={sqlstate}" in describe(error)
    assert CANARY not in (postgres.directory / "log").read_text(errors="replace")


async def test_a_constraint_is_named(postgres: Postgres) -> None:
    db = await asyncpg.connect(postgres.dsn("notes"))
    try:
        await db.execute("CREATE TABLE canary (word text PRIMARY KEY)")
        with pytest.raises(asyncpg.UniqueViolationError) as raised:
            await db.execute("INSERT INTO canary VALUES ('x'), ('x')")
    finally:
        await db.execute("DROP TABLE IF EXISTS canary")
        await db.close()
    assert describe(raised.value) == (
        "UniqueViolationError: sqlstate=23505 constraint_name=canary_pkey table_name=canary"
    )


def test_what_is_wrong_with_the_surroundings_is_said() -> None:
    assert describe(ConnectionRefusedError(111, "refused")) == "ConnectionRefusedError: [Errno 111] refused"
    assert describe(Unreachable("NATS does not answer")) == "Unreachable: NATS does not answer"
    error = RuntimeError(CANARY)
    error.__cause__ = TimeoutError("too late")
    assert describe(error) == "RuntimeError from TimeoutError: too late"
    error.__cause__ = error
    assert describe(error) == "RuntimeError"
    with pytest.raises(ValidationError) as raised:
        Titled.model_validate({})
    assert describe(raised.value) == "ValidationError: Titled: missing"


def test_a_line_of_a_library() -> None:
    record = logging.LogRecord("lib", logging.ERROR, "file.py", 1, "it failed: %s", (ValueError(CANARY),), None)
    try:
        int(CANARY)
    except ValueError as error:
        record.exc_info = (type(error), error, error.__traceback__)
    line = orjson.loads(LibraryFormatter("notes").format(record))
    assert (line["service"], line["logger"], line["level"], line["event"]) == (
        *("notes", "lib", "error"),
        "it failed: ValueError",
    )
    assert line["exception"][0]["error"] == "ValueError"
    assert CANARY not in f"{line}"


PROCESS = f"""
import asyncio, logging, structlog
from servicekit.process import ServiceSettings, start
CANARY = "{CANARY}"

async def fails():
    raise ValueError(CANARY)

def callback():
    raise KeyError(CANARY)

async def run():
    logging.getLogger("library").info(CANARY)
    logging.getLogger("library").debug(CANARY)
    logging.getLogger("sqlalchemy.engine").info(CANARY)
    structlog.get_logger().error("given as it is", error=KeyError(CANARY))
    asyncio.get_running_loop().call_soon(callback)
    forgotten = asyncio.create_task(fails())
    await asyncio.wait([forgotten])
    del forgotten
    try:
        await fails()
    except ValueError:
        logging.getLogger("library").exception("failed")
    await fails()

start("probe", ServiceSettings(database_url="x", log_level="DEBUG"), run)
"""


def test_a_process_that_ends_by_an_error_says_where_and_no_more() -> None:
    ended = subprocess.run([sys.executable, "-c", PROCESS], capture_output=True, text=True, timeout=60, check=False)
    text = ended.stdout + ended.stderr
    assert ended.returncode == 1
    assert CANARY not in text
    entries = [orjson.loads(line) for line in text.splitlines()]
    events = [(entry["event"], entry.get("problem")) for entry in entries]
    assert {("unhandled", "KeyError"), ("unhandled", "ValueError"), ("failed", None)} <= set(events)
    assert [entry["event"] for entry in entries if "logger" not in entry][-2:] == ["ended by an error", "stopped"]


async def test_no_source_logs_an_errors_message_itself() -> None:
    """`error=repr(error)` would bypass the rules above: errors are passed to the log unchanged."""
    found = await asyncio.to_thread(
        subprocess.run,
        ["git", "grep", "-nE", r"log\.\w+\(.*=(repr|str)\((error|exc|e)\)", "--", "*/src/*.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not found.stdout


MIGRATION = """
from alembic import op
import sqlalchemy

revision, down_revision = "0001", None

def upgrade():
    op.execute("CREATE TABLE canaries (word text CHECK (length(word) < 3))")
    op.get_bind().execute(sqlalchemy.text("INSERT INTO canaries VALUES (:word)"), {"word": "canary7f3a"})
"""


@pytest.fixture
async def empty_schema(postgres: Postgres) -> AsyncGenerator[str]:
    """A separate schema, because a service of the same test session may have migrated `notes`."""
    admin = await asyncpg.connect(postgres.dsn())
    await admin.execute("CREATE SCHEMA failing AUTHORIZATION notes")
    yield "failing"
    await admin.execute("DROP SCHEMA failing CASCADE")
    await admin.close()


async def test_a_migration_that_fails_over_a_row_quotes_nothing_of_it(
    postgres: Postgres, empty_schema: str, tmp_path: Path
) -> None:
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "0001_initial.py").write_text(MIGRATION)
    with pytest.raises(DBAPIError, match="parameters hidden") as raised:
        await migrate(postgres.dsn("notes"), empty_schema, tmp_path)
    assert CANARY in str(raised.value.orig.__cause__)  # PostgreSQL's own message has the row
    entries = exception_entries((raised.type, raised.value, raised.tb))
    text = f"{describe(raised.value)} {orjson.dumps(entries).decode()}"
    assert CANARY not in text
    assert "CheckViolationError: sqlstate=23514 constraint_name=canaries_word_check table_name=canaries" in text
    assert CANARY not in (postgres.directory / "log").read_text(errors="replace")
