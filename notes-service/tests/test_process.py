"""`python -m notes_service`: how it starts, shows that it works, and ends."""

import asyncio
import os
import signal
import sys

import pytest

from contracts import notes


async def started(settings, tmp_path, **environment) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "notes_service"),
        env=os.environ
        | {
            "DATABASE_URL": settings.database_url,
            "NATS_URL": settings.nats_url,
            "HEALTH_FILE": str(tmp_path / "health" / "notes"),
        }
        | environment,
        stdout=asyncio.subprocess.PIPE,
    )


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_that_it_is_healthy_works_and_stops(settings, tmp_path, gateway, end):
    process = await started(settings, tmp_path)
    try:
        async with asyncio.timeout(20):
            while not (tmp_path / "health" / "notes").exists():  # noqa: ASYNC110  (a file tells nobody)
                await asyncio.sleep(0.05)
        await gateway.request("$SRV.PING.notes-service", b"", timeout=5)
    finally:
        process.send_signal(end)
        output, _ = await process.communicate()
    assert process.returncode == 0
    assert b'"event": "started"' in output
    assert notes.QUEUE_GROUP.encode() in output


async def test_it_says_in_one_line_why_it_cannot_start(settings, tmp_path):
    process = await started(settings, tmp_path, NATS_URL="nats://notes:wrong@" + settings.nats_url.split("@")[1])
    output, _ = await process.communicate()
    assert process.returncode == 1
    assert b"NATS does not answer, or refuses these credentials" in output.splitlines()[-1]
