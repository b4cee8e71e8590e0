"""The quota, and that a user's notes and bytes are counted correctly."""

from collections.abc import AsyncGenerator

import pytest

from contracts import note_history, notes
from contracts.actor import Actor
from contracts.errors import QuotaExceeded
from contracts.ids import new_id
from notes_service.main import running
from notes_service.repository.history_pruning import delete_old_unlisted
from servicekit import database

from .conftest import Person

USED = "SELECT notes, bytes, revision_bytes FROM feed WHERE user_id = $1"
SIZE = """coalesce(sum(octet_length(title) + octet_length(body) + octet_length(array_to_string(tags, ''))
                         + octet_length(coalesce(nullif(properties::text, '{}'), ''))), 0)"""
COUNTED = f"""
SELECT count(*), {SIZE}, (SELECT {SIZE} FROM revisions WHERE user_id = $1) FROM notes WHERE user_id = $1
"""


@pytest.fixture
async def ada(settings, gateway) -> AsyncGenerator[Person]:
    """A user with a quota of three notes and 1,000 bytes."""
    async with running(settings.model_copy(update={"notes_per_user": 3, "bytes_per_user": 1000})):
        yield Person(gateway, Actor(user_id=new_id(), kind="user"))


async def assert_counted(db, person) -> None:
    used = await db.fetchrow(USED, person.actor.user_id)
    assert tuple(used) == tuple(await db.fetchrow(COUNTED, person.actor.user_id))


async def test_so_many_notes(ada, db):
    made = [await ada.create(f"{number}") for number in range(3)]
    with pytest.raises(QuotaExceeded, match="3 notes"):
        await ada.create("One more")
    await ada.request(notes.DELETE, id=made[0].id)
    with pytest.raises(QuotaExceeded, match="trash"):
        await ada.create("One more")
    await ada.request(notes.PURGE, id=made[0].id)
    await ada.create("One more")
    await assert_counted(db, ada)
    assert len(await ada.titles()) == 3


async def test_so_many_bytes(ada, db):
    note = await ada.create("Ünï", body="é" * 350, tags=["été"], properties={"pläce": "é" * 40, "rating": 1.50})
    with pytest.raises(QuotaExceeded, match="1,000 bytes"):
        await ada.update(note, properties={"place": "é" * 400})
    with pytest.raises(QuotaExceeded, match="1,000 bytes"):
        await ada.update(note, body="é" * 500)
    assert await ada.get(note.id) == note
    with pytest.raises(QuotaExceeded):
        await ada.create("Another", body="x" * 200)
    await assert_counted(db, ada)
    await ada.update(note, body="é" * 10)
    await ada.create("Another", body="x" * 200)
    await assert_counted(db, ada)


async def test_a_full_account_may_still_make_less_of_it_and_take_back(ada, db):
    run = new_id()
    note = await ada.create("Note", body="x" * 900)
    await ada.assistant(run).update(note, body="short")
    await ada.create("Other", body="y" * 900)
    assert (await ada.request(note_history.UNDO_RUN, run_id=run)).undone[0].note.id == note.id
    assert (await ada.get(note.id)).body == "x" * 900
    await ada.update(note, body="x" * 899)
    await ada.update(note, pinned=True)
    await ada.request(notes.DELETE, id=note.id)
    await ada.request(notes.RESTORE, id=note.id)
    await assert_counted(db, ada)


async def test_the_history_is_counted_and_its_oldest_versions_make_room(ada, db):
    note = await ada.create("Note", body="x" * 100)
    other = await ada.create("Other", body="y" * 100)
    for number in range(40):
        note = await ada.assistant(new_id()).update(note, body=f"{number:03}" + "z" * 97)
        await assert_counted(db, ada)
        _, used, stored = await db.fetchrow(USED, ada.actor.user_id)
        assert stored - used <= 1000
        usage = await ada.request(notes.USAGE)
        assert (usage.notes, usage.bytes, usage.history_bytes) == (2, used, stored - used)
        assert (usage.notes_max, usage.bytes_max, usage.history_bytes_max) == (3, 1000, 1000)
    assert await ada.get(other.id) == other
    versions = [revision.version for revision in await ada.history(note.id)]
    assert versions == list(range(41, 41 - len(versions), -1))  # the newest
    assert 5 <= len(versions) <= 11
    await ada.request(notes.DELETE, id=note.id)
    await ada.request(notes.PURGE, id=note.id)
    await assert_counted(db, ada)


async def test_what_is_past_its_retention_period_is_subtracted(ada, db, settings):
    note = await ada.create("Note", body="a")
    for number in range(5):
        await ada.update(note, body=f"{number}" * 50)
    aged = "UPDATE revisions SET created_at = created_at - interval '2 days' WHERE user_id = $1"
    await db.execute(aged, ada.actor.user_id)
    async with database.pool(settings.database_url, "notes") as pool:
        await delete_old_unlisted(pool)
    unlisted = "SELECT count(*) FROM revisions WHERE user_id = $1 AND NOT listed"
    assert await db.fetchval(unlisted, ada.actor.user_id) == 0
    await assert_counted(db, ada)
