"""No log of a running system contains users' text, whatever error occurs."""

import asyncio
import os
import signal
import stat
from collections.abc import AsyncGenerator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from standalone.system import System, running
from tests.conftest import DEMO
from tests.e2e.client import read_run, signed_up, start_run

CANARY = "canary7f3a"
BROKEN_RULES = (
    "ALTER TABLE notes.notes ADD CONSTRAINT refuses CHECK (body NOT LIKE '%broken%')",
    "ALTER TABLE chat.conversations ADD CONSTRAINT refuses CHECK (title NOT LIKE '%broken%')",
)
"""A row that breaks a constraint is quoted in PostgreSQL's error."""


@pytest.fixture
async def debugged(tmp_path: Path) -> AsyncGenerator[System]:
    """Services with the log level DEBUG."""
    async with running(data_dir=tmp_path, environment=DEMO | {"LOG_LEVEL": "DEBUG"}) as system:
        yield system


async def test_no_log_has_what_people_wrote(debugged: System) -> None:
    async with signed_up(debugged.url) as client:
        note = (await client.post("/api/notes", json={"title": CANARY, "body": CANARY, "tags": [CANARY]})).json()
        path = f"/api/notes/{note['id']}"
        talk = await client.post("/api/conversations", json={"title": CANARY, "instructions": CANARY})
        run = await start_run(client, f"create a note titled {CANARY} with {CANARY}", conversation_id=talk.json()["id"])
        assert (await read_run(client, run["run_id"]))[-1].event == "done"

        db = await asyncpg.connect(debugged.postgres.dsn())
        for rule in BROKEN_RULES:
            await db.execute(rule)
        requests = (
            client.patch(path, json={"body": f"{CANARY} broken"}),
            client.post("/api/notes", json={"title": CANARY, "body": f"{CANARY} broken"}),
            client.patch(f"/api/conversations/{talk.json()['id']}", json={"title": f"{CANARY} broken"}),
            client.post("/api/notes", content=f'{{"title": "{CANARY}'.encode()),
            client.post("/api/notes", json={"title": CANARY, "body": f"{CANARY}\x00"}),
            client.patch(path, json={"body": CANARY, CANARY: CANARY}, headers={"If-Match": CANARY}),
            client.get("/api/notes/search", params={"q": f'"{CANARY} & (!:* {CANARY}'}),
            client.get("/api/notes", params={"cursor": CANARY, "title": CANARY}),
            client.post("/api/auth/login", json={"username": CANARY, "password": CANARY}),
            client.post("/api/auth/password", json={"current": CANARY, "new": f"{CANARY}{CANARY}"}),
            client.post("/api/runs", json={"message": CANARY, "conversation_id": CANARY}),
            client.get(f"/api/notes/{uuid4()}"),
        )
        statuses = [(await request).status_code for request in requests]

        # connections, and the server itself, are killed while a note is written
        writing = [asyncio.create_task(client.patch(path, json={"body": f"{CANARY} {n}"})) for n in range(20)]
        await db.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('notes', 'chat')")
        await db.close()
        pids = debugged.pids()
        os.kill(pids["postgres"], signal.SIGKILL)
        os.kill(pids["nats"], signal.SIGKILL)
        await asyncio.gather(*writing)
        await debugged.wait_ready(60, replacing={name: pids[name] for name in ("postgres", "nats")})
        assert (await client.get(path)).status_code == 200
    assert 500 in statuses, statuses  # the broken rules were met, and logged

    folder = debugged.folder.path / "logs"
    logs = {log.name: log.read_text(errors="replace") for log in folder.iterdir()}
    assert logs.keys() >= {"gateway.log", "notes-service.log", "agent-service.log", "postgres.log", "nats.log"}
    assert "CheckViolationError: sqlstate=23514 constraint_name=refuses" in logs["notes-service.log"]
    assert [name for name, text in logs.items() if CANARY in text] == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(log.stat().st_mode) for log in folder.iterdir()} == {0o600}
