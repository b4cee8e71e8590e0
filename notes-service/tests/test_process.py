"""`python -m notes_service`: its start, its health file, and its end."""

import asyncio
import os
import signal
import sys

import pytest

from contracts import note_transfer, notes
from contracts.actor import Actor
from contracts.ids import new_id
from standalone.testing import SLOW_SECONDS

from .conftest import Person
from .uploads import counts, finished, upload, zip_of

SERVICE = ("-m", "notes_service")
IMPATIENT = (
    "-c",
    "import runpy, servicekit.bus as bus; bus.START_SECONDS = 0.5; runpy.run_module('notes_service', {}, '__main__')",
)
"""The same, but with a start timeout of half a second for the broker."""


async def started(settings, tmp_path, program=SERVICE, **environment) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, *program),
        env=os.environ
        | {
            "DATABASE_URL": settings.database_url,
            "NATS_URL": settings.nats_url,
            "HEALTH_FILE": str(tmp_path / "health" / "notes"),
        }
        | environment,
        stdout=asyncio.subprocess.PIPE,
    )


async def healthy(tmp_path) -> None:
    async with asyncio.timeout(SLOW_SECONDS):
        while not (tmp_path / "health" / "notes").exists():  # noqa: ASYNC110  (a file cannot be awaited)
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_that_it_is_healthy_works_and_stops(settings, tmp_path, gateway, end):
    process = await started(settings, tmp_path)
    try:
        await healthy(tmp_path)
        await gateway.request("$SRV.PING.notes-service", b"", timeout=SLOW_SECONDS)
    finally:
        process.send_signal(end)
        output, _ = await process.communicate()
    assert process.returncode == 0
    assert b'"event": "started"' in output
    assert notes.QUEUE_GROUP.encode() in output


async def test_it_says_in_one_line_why_it_cannot_start(settings, tmp_path):
    wrong = "nats://notes:wrong@" + settings.nats_url.split("@")[1]
    process = await started(settings, tmp_path, IMPATIENT, NATS_URL=wrong)
    output, _ = await process.communicate()
    assert process.returncode == 1
    assert b"NATS does not answer, or refuses these credentials" in output.splitlines()[-1]


async def test_an_import_survives_the_death_of_the_process(settings, tmp_path, gateway, db):
    """The process is killed during it twice; each successor finds an expired lease, as it would half a minute later."""
    person = Person(gateway, Actor(user_id=new_id(), kind="user"))
    archive = zip_of({f"{n}.md": f"text {n}" for n in range(400)} | {"picture.png": b""})
    import_id = None
    for number in range(3):
        process = await started(settings, tmp_path / f"{number}")
        try:
            await healthy(tmp_path / f"{number}")
            if import_id is None:
                import_id = await upload(person, {"notes.zip": archive}, 10_000)
                await person.request(note_transfer.IMPORT_START, import_id=import_id)
            if number == 2:
                status = await finished(person, import_id)
            else:
                await processed(db, import_id, 100 * (number + 1))
        finally:
            process.kill()
            await process.communicate()
            await db.execute("UPDATE imports SET lease_until = now() WHERE id = $1 AND status = 'running'", import_id)
    assert counts(status) == (400, 0, 0, 1)
    shown = await db.fetchrow(
        "SELECT (SELECT count(*) FROM notes WHERE user_id = $1) AS notes, notes AS counted, cursor, "
        "(SELECT attempt FROM imports WHERE id = $2) AS attempt FROM feed WHERE user_id = $1",
        *(person.actor.user_id, import_id),
    )
    assert tuple(shown) == (400, 400, 400, 3)


async def processed(db, import_id: str, number: int) -> None:
    async with asyncio.timeout(SLOW_SECONDS):
        while await db.fetchval("SELECT processed FROM imports WHERE id = $1", import_id) < number:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
