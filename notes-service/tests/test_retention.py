"""Data past its retention period is deleted, by one replica at a time."""

import asyncio
from datetime import timedelta

import pytest

from contracts import notes
from contracts.errors import VersionConflict
from notes_service import retention
from notes_service.quota import Quota
from servicekit import database

from .conftest import unit_of_work


async def count(db, table: str, note) -> int:
    column = "id" if table == "notes" else "note_id"
    return await db.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = $1", note.id)


async def in_trash(person, db, title: str, days: float):
    note = await person.create(title)
    await person.request(notes.DELETE, id=note.id)
    await db.execute("UPDATE notes SET deleted_at = now() - $2::interval WHERE id = $1", note.id, timedelta(days=days))
    return note


async def cleaned(settings) -> int:
    """Lets three replicas try at once; returns how many of them do it. The running replica's relay publishes their
    changes."""
    async with database.pool(settings.database_url, "notes") as pool:
        writes = unit_of_work(pool, Quota(1, 1))
        return sum(await asyncio.gather(*(retention.delete_expired(pool, writes) for _ in range(3))))


async def surely_cleaned(settings) -> None:
    """Retries, because the service of the other tests may be doing it at its start."""
    while await cleaned(settings) == 0:
        pass


async def test_what_is_in_the_trash_for_a_month_goes(ada, bob, db, settings):
    old = await in_trash(ada, db, "Old", 31)
    his = [await in_trash(bob, db, f"His {number}", 30.1) for number in range(3)]
    await in_trash(ada, db, "Recent", 29)
    await ada.create("Current")
    before = (await ada.request(notes.CHANGES)).cursor
    async with ada.tab() as tab, bob.tab() as other_tab:
        await surely_cleaned(settings)
        received = await tab.receive_after(before)
        assert (received.id, received.op, received.cursor) == (old.id, "delete", before + 1)
        assert {(await other_tab.receive_after(6 + number)).id for number in range(3)} == {note.id for note in his}
    assert await ada.titles(trashed=True) == ["Recent"]
    assert await ada.titles() == ["Current"]
    assert await bob.titles(trashed=True) == []
    assert await count(db, "revisions", old) == 0


async def test_a_full_trash_goes_in_batches(ada, db, settings, monkeypatch):
    monkeypatch.setattr(retention, "PURGE_BATCH", 2)
    for number in range(5):
        await in_trash(ada, db, f"{number}", 40)
    await surely_cleaned(settings)
    assert await ada.titles(trashed=True) == []
    cursors = await db.fetch("SELECT cursor FROM changes WHERE user_id = $1 ORDER BY cursor", ada.actor.user_id)
    assert [row["cursor"] for row in cursors] == list(range(1, 16))


async def test_only_one_replica_cleans(ada, db, settings):
    old = await in_trash(ada, db, "Old", 31)
    async with db.transaction():
        assert await db.fetchval(retention.TRY_LOCK)
        assert await cleaned(settings) == 0
        assert await count(db, "notes", old) == 1
    await surely_cleaned(settings)
    assert await count(db, "notes", old) == 0


async def test_versions_that_the_history_leaves_out_are_forgotten(ada, db, settings):
    """Their idempotency keys still count as used: the write is not repeated."""
    note = await ada.create("Note")
    for key in ("k", None, None):
        await ada.update(note, body=f"{key} {await count(db, 'revisions', note)}", idempotency_key=key)
    await db.execute("UPDATE revisions SET created_at = now() - interval '2 days' WHERE note_id = $1", note.id)
    await surely_cleaned(settings)
    stored = await db.fetch("SELECT version FROM revisions WHERE note_id = $1 ORDER BY version", note.id)
    assert [row["version"] for row in stored] == [1, 4]
    with pytest.raises(VersionConflict) as refused:
        await ada.update(note, body="once more", idempotency_key="k")
    assert refused.value.details["current"]["version"] == 4
