"""Semantic search: notes are indexed in the background and found in addition to full-text matches. It never fails a
search.

The model is the local model server, for which some words are synonyms; everything else is real.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncGenerator, Callable
from typing import Any

import asyncpg
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.msg import Msg
from structlog.testing import capture_logs

from contracts import notes, subjects
from contracts.actor import Actor
from contracts.ids import new_id
from notes_service.main import running
from notes_service.repository.embeddings import EmbeddingRepository
from notes_service.semantic import indexer, search
from notes_service.semantic.chunks import CHUNK_CHARACTERS, MAX_CHUNKS, chunks
from notes_service.semantic.model import EmbeddingsModel
from notes_service.semantic.pending_changes import OF_USER, PendingChanges
from notes_service.semantic.rank_fusion import fuse_rankings
from notes_service.settings import Settings
from servicekit import bus, database
from standalone.testing import until
from tests.model_server import ModelServer

from .conftest import Person

SAME = {"automobile": "car", "vehicle": "car", "feline": "cat", "physician": "doctor"}
SECONDS = 60


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer, "DEBOUNCE_SECONDS", 0.0)
    monkeypatch.setattr(indexer, "RETRY_SECONDS", 0.1)
    monkeypatch.setattr(indexer, "BACKFILL_SECONDS", 0.3)
    monkeypatch.setattr(search, "COOLDOWN_SECONDS", 0.0)


@pytest.fixture
async def model() -> AsyncGenerator[ModelServer]:
    async with ModelServer() as server:
        server.embeddings.meanings = SAME
        yield server


@pytest.fixture
def semantic_settings(settings: Settings, model: ModelServer) -> Settings:
    """Each test's model has a unique name, so that its index contains nothing of another test."""
    return settings.model_copy(
        update={"embeddings_model": f"stand-in {new_id()}", "openai_base_url": model.base_url, "openai_api_key": None}
    )


@pytest.fixture
def someone(gateway) -> Callable[[], Person]:
    return lambda: Person(gateway, Actor(user_id=new_id(), kind="user"))


@pytest.fixture(autouse=True)
async def no_notes_of_other_tests(db, settings: Settings) -> None:
    """Notes of other tests would be indexed first."""
    async with running(settings):
        pass
    await db.execute("DELETE FROM notes")


async def found_at_last(person: Person, typed: str, wanted: list[str]) -> list[notes.SearchHit]:
    """Searches until exactly these are found."""

    async def seen() -> bool:
        return await person.found(typed) == wanted

    await until(f"{wanted} found for {typed}", seen, SECONDS)
    return await person.search(typed)


async def test_notes_are_found_by_what_they_mean(semantic_settings: Settings, someone) -> None:
    async with running(semantic_settings):
        ada, bob = someone(), someone()
        await ada.create("Garage", body="The automobile needs new tyres.")
        await ada.create("Pets", body="The feline sleeps.")
        await bob.create("His", body="An automobile of his own.")
        (hit,) = await found_at_last(ada, "car", ["Garage"])
        assert (hit.snippet, hit.rank > 0) == ("The automobile needs new tyres.", True)


async def test_words_and_meaning_are_fused(semantic_settings: Settings, someone) -> None:
    async with running(semantic_settings):
        ada = someone()
        await ada.create("One", body="car car vehicle")
        await ada.create("Two", body="vehicle automobile vehicle")
        await ada.create("Three", body="something about a cat")
        hits = await found_at_last(ada, "car", ["One", "Two"])
        assert hits[0].rank > hits[1].rank > 0
        assert "<mark>car</mark>" in hits[0].snippet


@pytest.mark.parametrize("typed", ['"car"', "car -milk", "car or cart", "ca"])
async def test_operators_mean_the_words_themselves(semantic_settings: Settings, someone, typed: str) -> None:
    async with running(semantic_settings):
        ada = someone()
        await ada.create("Garage", body="automobile")
        await found_at_last(ada, "car", ["Garage"])
        assert await ada.found(typed) == []


async def test_a_change_is_indexed_and_the_trash_is_not_found(semantic_settings: Settings, someone) -> None:
    async with running(semantic_settings):
        ada = someone()
        note = await ada.create("Note", body="automobile")
        await found_at_last(ada, "car", ["Note"])
        await ada.update(note, body="feline")
        await found_at_last(ada, "cat", ["Note"])
        await found_at_last(ada, "car", [])
        await ada.request(notes.DELETE, id=note.id)
        assert await ada.found("cat") == []
        await ada.request(notes.RESTORE, id=note.id)
        await found_at_last(ada, "cat", ["Note"])
        await ada.request(notes.PURGE, id=note.id)
        assert await ada.found("cat") == []


async def test_a_version_with_the_same_text_is_not_embedded_again(
    semantic_settings: Settings, someone, model: ModelServer, db
) -> None:
    async with running(semantic_settings):
        ada = someone()
        note = await ada.create("Note", body="automobile")
        await found_at_last(ada, "car", ["Note"])
        requests = len(model.embeddings.embedded)
        await ada.update(note, pinned=True)

        async def pinned() -> bool:
            return await db.fetchval("SELECT version FROM note_meanings WHERE note_id = $1", note.id) == 2

        await until("a pinned note", pinned, SECONDS)
        assert len(model.embeddings.embedded) == requests


async def test_the_end_of_a_long_note_is_found_and_shown(semantic_settings: Settings, someone) -> None:
    async with running(semantic_settings):
        ada = someone()
        await ada.create("Long", body="filler words " * 450 + "\n\n" + "an automobile " * 130)
        (hit,) = await found_at_last(ada, "car", ["Long"])
        assert hit.snippet.startswith("an automobile")


async def test_notes_from_before_are_backfilled(settings: Settings, semantic_settings: Settings, someone) -> None:
    ada = someone()
    async with running(settings):
        for number in range(40):
            await ada.create(f"Note {number}", body=f"number {number}")
        await ada.create("Garage", body="automobile")
        assert await ada.found("car") == []
    async with running(semantic_settings):
        await found_at_last(ada, "car", ["Garage"])


async def test_an_unavailable_model_is_retried(semantic_settings: Settings, someone, model: ModelServer) -> None:
    model.embeddings.status = 503
    async with running(semantic_settings):
        ada = someone()
        await ada.create("Garage", body="automobile by name")
        assert await ada.found("name") == ["Garage"]
        model.embeddings.status = None
        await found_at_last(ada, "car", ["Garage"])
        model.embeddings.status = 401
        assert await ada.found("vehicle") == []
        assert await ada.found("name") == ["Garage"]


async def test_a_model_that_hangs_does_not_delay_a_search(
    semantic_settings: Settings, someone, model: ModelServer
) -> None:
    model.embeddings.held = True
    async with running(semantic_settings):
        ada = someone()
        await ada.create("Garage", body="automobile")
        started = time.monotonic()
        assert await ada.found("garage") == ["Garage"]
        assert time.monotonic() - started < search.TIMEOUT_SECONDS + 2


async def test_after_a_failure_searches_do_without_for_a_while(
    semantic_settings: Settings, someone, model: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "COOLDOWN_SECONDS", 60.0)
    async with running(semantic_settings):
        ada = someone()
        await ada.create("Garage", body="automobile")
        await found_at_last(ada, "car", ["Garage"])
        model.embeddings.status = 500
        assert await ada.found("vehicle") == []
        model.embeddings.status = None
        assert await ada.found("vehicle") == []


async def test_vectors_of_another_length_do_no_harm(semantic_settings: Settings, someone, model: ModelServer) -> None:
    """Another model with the same name: only full-text search works until the notes have changed."""
    async with running(semantic_settings):
        ada = someone()
        note = await ada.create("Garage", body="automobile")
        await found_at_last(ada, "car", ["Garage"])
        model.embeddings.dimensions = 256
        assert await ada.found("vehicle") == []
        assert await ada.found("automobile") == ["Garage"]
        await ada.update(note, body="an automobile")
        await found_at_last(ada, "vehicle", ["Garage"])


async def test_a_refused_text_does_not_stop_others_from_being_indexed(
    semantic_settings: Settings, someone, model: ModelServer
) -> None:
    model.embeddings.refused = "forbidden"
    async with running(semantic_settings):
        ada = someone()
        await asyncio.gather(*(ada.create(f"{number}", body="forbidden words") for number in range(3)))
        await ada.create("Garage", body="automobile")
        await found_at_last(ada, "car", ["Garage"])
        assert sorted(await ada.found("forbidden")) == ["0", "1", "2"]


async def test_a_message_that_is_no_change_does_not_stop_the_index(
    settings: Settings, semantic_settings: Settings, someone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else is published on the subject: no JSON, no object, no change, and a change of nobody's note."""
    monkeypatch.setattr(indexer, "BACKFILL_SECONDS", 3600.0)
    change = {"op": "create", "id": new_id(), "version": 1, "cursor": 1, "actor": {"kind": "user"}}
    messages = [
        *((new_id(), body) for body in (b"", b"7", b"[]", b"{}", b"\xff", b'{"id": "../x"}')),
        ("nobody", orjson.dumps(change)),
        (new_id(), orjson.dumps(change)),
    ]
    with capture_logs() as logs:
        async with running(semantic_settings), bus.connected(settings.nats_url, "writer") as nc:
            for user, body in messages:
                await nc.publish(subjects.user_notes(user), body)
            await nc.flush()
            ada = someone()
            await ada.create("Garage", body="The automobile needs new tyres.")
            await found_at_last(ada, "car", ["Garage"])

            async def all_dropped() -> bool:
                return [entry["event"] for entry in logs].count("invalid change dropped") == len(messages) - 1

            await until("what is no change is dropped", all_dropped, SECONDS)
    assert [entry for entry in logs if entry["event"] == "background work failed"] == []


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """The model embeds once this is set."""
    real, opened = EmbeddingsModel.vectors, asyncio.Event()

    async def vectors(self: EmbeddingsModel, *request: Any) -> Any:
        await opened.wait()
        return await real(self, *request)

    monkeypatch.setattr(EmbeddingsModel, "vectors", vectors)
    return opened


async def test_one_users_many_changes_keep_nobody_elses_waiting(
    semantic_settings: Settings, someone, model: ModelServer, db, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than may wait for one user: what is left to the backfill is indexed, too."""
    monkeypatch.setattr(indexer, "BACKFILL_SECONDS", 3600.0)
    async with running(semantic_settings):
        ada, bob = someone(), someone()
        for _ in range(10):
            await asyncio.gather(*(ada.create(f"Note {number}", body="text") for number in range(30)))
        await bob.create("Garage", body="automobile")
        gate.set()
        await found_at_last(bob, "car", ["Garage"])
        of_bob = next(at for at, text in enumerate(model.embeddings.embedded) if text.startswith("Garage"))
        assert of_bob < 100, "at most what was being embedded, and a turn of each loop"

        async def all_indexed() -> bool:
            count = "SELECT count(*) FROM note_meanings WHERE user_id = $1"
            return await db.fetchval(count, ada.actor.user_id) == 300

        await until("all notes indexed", all_indexed, SECONDS)


async def test_one_users_many_older_notes_keep_nobody_elses_waiting(
    settings: Settings, semantic_settings: Settings, someone, model: ModelServer, db
) -> None:
    async with running(settings):
        bob = someone()
        await bob.create("Garage", body="automobile")
    await db.execute(
        """
        INSERT INTO notes (user_id, id, title, title_key, body, preview, tags, pinned, archived, version, created_at,
          updated_at, updated_by)
        SELECT '00000000-0000-7000-8000-000000000000', gen_random_uuid(), 'Note ' || number, 'note', 'text', 'text',
          '{}', false, false, 1, now(), now(), '{"kind": "user"}' FROM generate_series(1, 10000) AS number
        """
    )
    async with running(semantic_settings):
        await found_at_last(bob, "car", ["Garage"])
        of_bob = next(at for at, text in enumerate(model.embeddings.embedded) if text.startswith("Garage"))
        assert of_bob < 3 * indexer.BATCH_NOTES

        async def more_than_a_turn() -> bool:
            return len(model.embeddings.embedded) > 6 * indexer.BATCH_NOTES

        await until("the others", more_than_a_turn, SECONDS)
    assert len(set(model.embeddings.embedded)) == len(model.embeddings.embedded), "each once"


def test_users_take_turns_and_none_has_more_than_a_bounded_number_waiting() -> None:
    pending, msg = PendingChanges(), Msg(_client=None)  # pyright: ignore[reportArgumentType]
    taken = [pending.add(("ada", str(number)), msg) for number in range(OF_USER + 5)]
    assert taken == [True] * OF_USER + [False] * 5
    assert pending.add(("ada", "3"), msg), "another change of one that waits"
    for user in ("bob", "eve"):
        assert pending.add((user, "0"), msg)
    first = pending.take(5)
    assert list(first) == [("ada", "0"), ("bob", "0"), ("eve", "0"), ("ada", "1"), ("ada", "2")]
    assert len(pending.take(1)["ada", "3"]) == 2
    pending.put_back(("bob", "0"), [msg])
    assert list(pending.take(2)) == [("ada", "4"), ("bob", "0")]
    assert len(pending.messages) == OF_USER - 5
    assert len(pending.take(1_000)) == OF_USER - 5
    assert not pending


async def test_replicas_share_the_work(semantic_settings: Settings, someone, model: ModelServer, db) -> None:
    async with running(semantic_settings), running(semantic_settings):
        ada = someone()
        for ten in range(6):
            await asyncio.gather(*(ada.create(f"Note {ten}{number}", body="automobile") for number in range(10)))

        async def all_indexed() -> bool:
            count = "SELECT count(*) FROM note_meanings WHERE user_id = $1"
            return await db.fetchval(count, ada.actor.user_id) == 60

        await until("all notes indexed", all_indexed, SECONDS)
    texts = [text for text in model.embeddings.embedded if text.startswith("Note")]
    assert len(texts) < 120, "most were embedded once"


async def test_without_the_setting_there_is_no_trace(settings: Settings, postgres) -> None:
    schema = "meaningless_notes"
    admin = await asyncpg.connect(postgres.dsn())
    try:
        await admin.execute(f"CREATE SCHEMA {schema} AUTHORIZATION notes")
        async with database.pool(postgres.dsn("notes"), schema) as pool:
            assert await pool.fetchval("SELECT to_regclass('note_meanings')") is None
    finally:
        await admin.execute(f"DROP SCHEMA {schema} CASCADE")
        await admin.close()


@pytest.mark.parametrize("without", ["provider", "extension"])
async def test_what_is_missing_is_done_without(
    semantic_settings: Settings, someone, monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    async def no_extension(_: EmbeddingRepository) -> bool:
        return False

    if without == "extension":
        monkeypatch.setattr(EmbeddingRepository, "prepare", no_extension)
    else:
        semantic_settings = semantic_settings.model_copy(update={"openai_base_url": None})
    async with running(semantic_settings):
        ada = someone()
        await ada.create("Garage", body="automobile")
        assert await ada.found("automobile") == ["Garage"]
        assert await ada.found("car") == []


def test_rankings_are_merged_by_reciprocal_rank() -> None:
    scores = fuse_rankings(["a", "b", "c"], ["c", "d"])
    assert list(scores) == ["c", "a", "b", "d"] or list(scores) == ["c", "a", "d", "b"]
    assert scores["c"] == pytest.approx(1 / 63 + 1 / 61)
    assert scores["b"] == scores["d"] == pytest.approx(1 / 62)
    assert fuse_rankings([], []) == {}


@given(st.text(st.sampled_from("ab \n"), max_size=CHUNK_CHARACTERS * 3))
def test_chunks_are_the_whole_text_in_order(body: str) -> None:
    found = chunks("Title", ["tag"], body)
    starts = [chunk.start for chunk in found] + [len(body)]
    assert starts[0] == 0
    assert all(0 < end - start <= CHUNK_CHARACTERS for start, end in itertools.pairwise(starts) if body)
    assert all(chunk.text.startswith("Title\ntag") for chunk in found)


def test_of_a_very_long_text_the_beginning_counts() -> None:
    assert len(chunks("Title", [], "word " * 50_000)) == MAX_CHUNKS
    assert [chunk.text for chunk in chunks("Title", [], "")] == ["Title"]
