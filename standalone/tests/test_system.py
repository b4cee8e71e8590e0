"""The supervisor on real PostgreSQL and NATS: it restarts them when they die, and leaves no process behind."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import asyncpg
import psutil
import pytest

from standalone import logs
from standalone.data_folder import DataFolder
from standalone.errors import CannotStart
from standalone.system import System, running
from standalone.testing import SLOW_SECONDS, connection


def infrastructure(folder: Path) -> AbstractAsyncContextManager[System]:
    """The system without its services: starts fast, and is all that most of these tests need."""
    return running(data_dir=folder, agents=0, notes=0, gateways=0)


@pytest.fixture(scope="module")
async def system(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[System]:
    async with infrastructure(tmp_path_factory.mktemp("system")) as started:
        yield started


@pytest.mark.parametrize("name", ["postgres", "nats"])
async def test_a_killed_process_is_restarted(system: System, name: str) -> None:
    for _ in range(2):
        before = system.pids()
        os.kill(before[name], signal.SIGKILL)
        await system.wait_ready(replacing={name: before[name]})
        after = system.pids()
        assert after.keys() == before.keys()
        assert after[name] != before[name]
        assert system.folder.pid_file(name).read_text() == f"{after[name]}\n"


async def test_the_same_addresses_serve_after_a_kill(system: System) -> None:
    pids = system.pids()
    for pid in pids.values():
        os.kill(pid, signal.SIGKILL)
    await system.wait_ready(replacing=pids)
    async with connection(system.nats, "admin") as nc:
        await nc.flush()
    db = await asyncpg.connect(system.postgres.dsn("notes"))
    await db.close()


async def test_a_folder_belongs_to_one_system(system: System) -> None:
    with pytest.raises(CannotStart, match=rf"in use by another Inkstream \(process {os.getpid()}\)"):
        async with infrastructure(system.folder.path):
            pass
    assert len(system.pids()) == 2


async def test_nothing_is_left_after_the_end_and_data_is_there_again(tmp_path: Path) -> None:
    async with infrastructure(tmp_path) as system:
        db = await asyncpg.connect(system.postgres.dsn("notes"))
        await db.execute("CREATE TABLE notes.existing AS SELECT 'here' AS value")
        await db.close()
        async with connection(system.nats, "admin") as nc:
            await nc.jetstream().add_stream(name="EXISTING", subjects=["existing"])
            await nc.jetstream().publish("existing", b"here")
        processes = [psutil.Process(pid) for pid in system.pids().values()]
        processes += [child for process in processes for child in process.children(recursive=True)]
        assert {file.stem for file in (tmp_path / "pids").iterdir()} == {"nats", "postgres"}
    assert not [process for process in processes if process.is_running()]
    assert not list((tmp_path / "pids").iterdir())
    async with infrastructure(tmp_path) as system:
        db = await asyncpg.connect(system.postgres.dsn("notes"))
        assert await db.fetchval("SELECT value FROM notes.existing") == "here"
        await db.close()
        async with connection(system.nats, "admin") as nc:
            assert (await nc.jetstream().get_last_msg("EXISTING", "existing")).data == b"here"


async def test_an_interrupted_first_start_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "postgres" / "cluster.new").mkdir(parents=True)
    (tmp_path / "postgres" / "cluster.new" / "PG_VERSION").write_text("18\n")
    async with infrastructure(tmp_path) as system:
        assert system.pids().keys() == {"postgres", "nats"}


async def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=rf"port {port} is taken by another program(.|\n)*PORT="):
            async with running(data_dir=tmp_path, port=port):
                pass


async def test_what_an_earlier_run_left_is_ended_and_strangers_are_spared(tmp_path: Path) -> None:
    ours, strangers = [
        await asyncio.create_subprocess_exec("sleep", "infinity", env=os.environ | {"DATA_DIR": str(folder)})
        for folder in (tmp_path, tmp_path / "another")
    ]
    try:
        folder = DataFolder(tmp_path)
        (tmp_path / "pids").mkdir()
        folder.pid_file("notes-service").write_text(str(ours.pid))
        folder.pid_file("agent-service").write_text(str(strangers.pid))
        folder.pid_file("gateway").write_text("")
        with folder.taken():
            await asyncio.wait_for(ours.wait(), SLOW_SECONDS)
            assert strangers.returncode is None
            assert not list((tmp_path / "pids").iterdir())
    finally:
        strangers.kill()
        await strangers.wait()


async def _emptied(log: Path) -> None:
    while True:
        await asyncio.sleep(0)
        if log.stat().st_size == 0:
            return


async def test_a_log_stays_within_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MAX_BYTES", 1000)
    log = tmp_path / "chatty.log"
    with log.open("ab") as writer:
        writer.write(b"x" * 2000)
        writer.flush()
        keeper = asyncio.create_task(logs.keep_bounded(tmp_path))
        await asyncio.wait_for(_emptied(log), SLOW_SECONDS)
        writer.write(b"last line")
        writer.flush()
    keeper.cancel()
    assert (logs.tail(log), (tmp_path / "chatty.log.1").stat().st_size) == ("last line", 2000)
