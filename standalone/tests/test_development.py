"""When a source file changes, the services that use it restart, and no others."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from standalone import process
from standalone.development import restart_on_change, sources
from standalone.paths import ROOT
from standalone.process import Process, Program
from standalone.system import System, running
from standalone.testing import SLOW_SECONDS, until

ALL = frozenset({"gateway", "notes-service", "agent-service"})


@pytest.fixture(scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[System]:
    async with running(data_dir=tmp_path_factory.mktemp("development"), environment={"OPENAI_API_KEY": ""}) as started:
        yield started


def test_a_folder_belongs_to_the_services_that_are_made_of_it() -> None:
    folders = sources()
    assert folders[ROOT / "contracts" / "src"] == folders[ROOT / "servicekit" / "src"] == ALL
    assert folders[ROOT / "demo-model" / "src"] == {"agent-service"}
    for service in ALL:
        assert folders[ROOT / service / "src"] == {service}
    assert all(folder.is_dir() for folder in folders)
    assert ROOT / "standalone" / "src" not in folders


@pytest.mark.parametrize(("changed", "restarted"), [("gateway/page.py", {"gateway"}), ("contracts/notes.py", ALL)])
async def test_a_change_restarts_the_services_of_its_folder(
    system: System, tmp_path: Path, changed: str, restarted: set[str]
) -> None:
    messages: list[str] = []
    probed = tmp_path / "probed"
    folders = {tmp_path / "gateway": frozenset({"gateway"}), tmp_path / "contracts": ALL, probed: frozenset[str]()}
    for folder in folders:
        folder.mkdir()

    async def is_watched() -> bool:
        (probed / "file").touch()
        return bool(messages)

    async def is_seen() -> bool:
        return any(text.endswith(f"restarting {', '.join(sorted(restarted))}") for text in messages)

    before = system.pids()
    watching = asyncio.create_task(restart_on_change(system, folders, messages.append, debounce_ms=50))
    try:
        await until("folders that are watched", is_watched)
        (tmp_path / changed).touch()
        await until("a restart", is_seen)
        await system.wait_ready(replacing={name: before[name] for name in restarted})
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    after = system.pids()
    assert {name for name in before if before[name] != after[name]} == restarted


async def test_a_program_that_could_not_start_is_restarted_at_once_on_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without waiting for the backoff after its death: the error in its source has been fixed."""
    monkeypatch.setattr(process, "FIRST_PAUSE", 10 * SLOW_SECONDS)
    source, messages = tmp_path / "program.py", asyncio.Queue[str]()
    source.write_text("def (")

    async def ready() -> bool:
        return True

    program = Program("fixed", [sys.executable, str(source)], dict(os.environ), ready)
    fixed = Process(program, tmp_path / "pid", tmp_path / "log", messages.put_nowait)
    fixed.start()
    try:
        assert "fixed ended (exit code 1: SyntaxError: invalid syntax)" in await messages.get()
        source.write_text("import time\ntime.sleep(3600)")
        await fixed.restart()
        await until("a program that runs", fixed.is_ready)
        running = fixed.pid
        await fixed.restart()
        await until("its successor", fixed.is_ready)
        assert fixed.pid != running
        assert fixed.deaths == 1
    finally:
        await fixed.stop()
