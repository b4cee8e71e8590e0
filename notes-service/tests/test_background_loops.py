"""A bug in a background loop is logged with its traceback, counted, and finally makes the process not ready.

The whole service runs, with one method broken that the loop calls. What it takes for the loop to call it, where that
does not come by itself, the test does until the heartbeat stops.
"""

import asyncio
import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

import notes_service.main
from contracts import note_transfer, notes, subjects
from contracts.actor import Actor
from contracts.errors import ServiceUnavailable
from contracts.ids import new_id
from notes_service import import_worker, relay, retention
from notes_service.main import running
from notes_service.repository.changes import ChangeRepository, UnpublishedBatch
from notes_service.repository.embeddings import EmbeddingRepository
from notes_service.repository.imports import ImportRepository
from notes_service.repository.notes import NoteRepository
from notes_service.repository.trash import users_with_expired
from notes_service.semantic import indexer
from notes_service.settings import Settings
from servicekit import health, rpc
from servicekit.background import MAX_FAILURES
from standalone.testing import until
from tests.model_server import ModelServer

from .conftest import Person

PAUSE_SECONDS = 0.05
SECONDS = 60


async def nothing(_: Person) -> None:
    """For loops that run by themselves."""


async def write(person: Person) -> None:
    await person.create()


async def export(person: Person) -> None:
    await person.create()
    opened = await person.request(note_transfer.EXPORT)
    try:
        async for _ in rpc.read_chunks(person.nc, subjects.note_export(opened.export_id)):
            pass
    except ServiceUnavailable:  # the download is aborted
        pass


@dataclass(frozen=True)
class Case:
    loop: str
    broken: tuple[object, str]
    """The location of the bug: an object and the name of its function."""
    provoke: Callable[[Person], Awaitable[None]] = nothing


CASES = [
    Case("relay", (ChangeRepository, "users_with_unpublished")),
    Case("relay", (UnpublishedBatch, "mark_published"), write),
    Case("relay", (relay.subjects, "user_notes"), write),
    Case("retention", (retention, users_with_expired.__name__)),
    Case("import 1", (ImportRepository, "claim")),
    Case("export", (NoteRepository, "next_batch"), export),
    Case("semantic index", (EmbeddingRepository, "texts"), write),
    Case("semantic backfill", (EmbeddingRepository, "not_indexed")),
]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in (
        *((relay, "POLL_SECONDS"), (retention, "EVERY_SECONDS"), (import_worker, "POLL_SECONDS")),
        *((indexer, "RETRY_SECONDS"), (indexer, "BACKFILL_SECONDS"), (health, "HEARTBEAT_SECONDS")),
    ):
        monkeypatch.setattr(module, name, PAUSE_SECONDS)
    monkeypatch.setattr(indexer, "DEBOUNCE_SECONDS", 0.0)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> CollectorRegistry:
    """The service's metrics."""
    registry = CollectorRegistry()
    monkeypatch.setattr(notes_service.main, "new_registry", lambda: registry)
    return registry


@pytest.fixture
async def service_settings(settings: Settings, tmp_path: Path) -> AsyncGenerator[Settings]:
    async with ModelServer() as model:
        yield settings.model_copy(
            update={
                "health_file": tmp_path / "health",
                "embeddings_model": f"stand-in {new_id()}",
                "openai_base_url": model.base_url,
                "openai_api_key": None,
            }
        )


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.loop}: {case.broken[1]}")
async def test_a_bug_in_a_loop_is_logged_and_counted_and_stops_the_heartbeat(
    case: Case, service_settings: Settings, registry: CollectorRegistry, gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = service_settings.health_file
    assert file is not None
    person = Person(gateway, Actor(user_id=new_id(), kind="user"))

    def bug(*_: Any, **__: Any) -> Any:
        raise KeyError("a bug")

    def failures() -> float:
        return registry.get_sample_value("inkstream_background_failures_total", {"loop": case.loop}) or 0.0

    async def beats() -> bool:
        before = file.stat().st_mtime_ns if file.exists() else 0
        await asyncio.sleep(2 * PAUSE_SECONDS)
        return file.exists() and file.stat().st_mtime_ns > before

    with capture_logs() as logs:
        async with running(service_settings):
            await until("a heartbeat", beats, SECONDS)
            with monkeypatch.context() as patch:
                patch.setattr(*case.broken, bug)

                def not_ready() -> int:
                    return len([e for e in logs if e["event"] == "not ready" and case.loop in e["error"]])

                async def is_not_ready() -> bool:
                    await case.provoke(person)
                    return not_ready() > 0

                await until("a process that is not ready", is_not_ready, SECONDS)
                last_beat, count = file.stat().st_mtime_ns, not_ready()
                entries = [e for e in logs if e["event"] == "background work failed" and e["loop"] == case.loop]
                assert min(failures(), len(entries)) >= MAX_FAILURES
                assert all(e["log_level"] == "error" and isinstance(e["exc_info"], KeyError) for e in entries)

                async def is_still_not_ready() -> bool:
                    return not_ready() >= count + 2

                await until("a process that stays not ready", is_still_not_ready, SECONDS)
                assert file.stat().st_mtime_ns == last_beat

            async def ready_again() -> bool:
                await case.provoke(person)
                return await beats()

            try:
                await until("a heartbeat again", ready_again, SECONDS)
            except AssertionError as error:  # another loop may be the cause
                raise AssertionError([entry for entry in logs if entry["event"] == "not ready"][-1:]) from error
    assert not [e for e in logs if e["event"] == "background work postponed" and e["loop"] == case.loop]


async def test_a_relay_that_fails_does_not_spin(
    service_settings: Settings, gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It pauses after each failure, even if writes wake it, and publishes everything once it can."""
    person = Person(gateway, Actor(user_id=new_id(), kind="user"))
    times: list[float] = []

    def bug(_: str) -> str:
        times.append(asyncio.get_running_loop().time())
        raise KeyError("a bug")

    async with running(service_settings), person.tab() as tab:
        with monkeypatch.context() as patch:
            patch.setattr(relay.subjects, "user_notes", bug)

            async def failed_often() -> bool:
                await person.create()
                return len(times) >= 5

            await until("some failures", failed_often, SECONDS)
        newest = (await person.request(notes.CHANGES)).cursor
        assert [change.cursor for change in await tab.receive(newest)] == list(range(1, newest + 1))
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert min(pauses) >= PAUSE_SECONDS / 2, pauses
