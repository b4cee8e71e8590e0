"""The trash, and deleting for good."""

import pytest

from contracts import note_history, notes
from contracts.errors import NotFound, VersionConflict


async def count(db, table: str, note) -> int:
    column = "id" if table == "notes" else "note_id"
    return await db.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = $1", note.id)


async def test_deleted_for_good_is_gone_with_its_history(ada, db):
    note = await ada.create("Note", body="secret")
    await ada.update(note, body="more secret")
    await ada.request(notes.DELETE, id=note.id)
    async with ada.tab() as tab:
        await ada.request(notes.PURGE, id=note.id)
        received = await tab.receive_after(3)
    assert (received.op, received.id, received.version, received.cursor) == ("delete", note.id, 4, 4)
    assert received.actor.kind == "user"
    for operation, fields in (
        (notes.GET, {}),
        (notes.RESTORE, {}),
        (notes.PURGE, {}),
        (note_history.REVISIONS, {}),
        (note_history.REVISION, {"version": 1}),
    ):
        with pytest.raises(NotFound):
            await ada.request(operation, id=note.id, **fields)
    assert await ada.titles(trashed=True) == []
    assert [await count(db, table, note) for table in ("notes", "revisions", "note_words")] == [0, 0, 0]
    assert [change.note for change in (await ada.request(notes.CHANGES, since=3)).changes] == [None]


async def test_the_trash_is_emptied_as_far_as_it_was_seen(ada, bob, db, monkeypatch):
    monkeypatch.setattr("notes_service.service.PURGE_BATCH", 2)
    kept, theirs = await ada.create("Kept"), await bob.create("Theirs")
    await bob.request(notes.DELETE, id=theirs.id)
    seen = [await ada.request(notes.DELETE, id=(await ada.create(f"Seen {n}")).id) for n in range(5)]
    later = await ada.request(notes.DELETE, id=(await ada.create("Later")).id)
    back = await ada.request(notes.RESTORE, id=seen[0].id)
    before = seen[-1].deleted_at
    async with ada.tab() as tab:
        first = await ada.request(notes.EMPTY_TRASH, before=before)
        assert (first.deleted, first.has_more) == (2, True)
        second = await ada.request(notes.EMPTY_TRASH, before=before)
        assert (second.deleted, second.has_more) == (2, False)
        received = await tab.receive_after(14)
    assert (received.op, received.actor.kind) == ("delete", "user")
    again = await ada.request(notes.EMPTY_TRASH, before=before)
    assert (again.deleted, again.has_more) == (0, False)
    assert await ada.titles(trashed=True) == [later.title]
    assert sorted(await ada.titles()) == sorted([kept.title, back.title])
    assert await bob.titles(trashed=True) == ["Theirs"]
    assert [await count(db, table, seen[1]) for table in ("notes", "revisions", "note_words")] == [0, 0, 0]


async def test_only_the_version_that_was_seen_comes_back_and_one_that_is_back_stays(ada):
    note = await ada.create("Note")
    await ada.request(notes.DELETE, id=note.id)
    with pytest.raises(VersionConflict):
        await ada.request(notes.RESTORE, id=note.id, expected_version=1)
    back = await ada.request(notes.RESTORE, id=note.id, expected_version=2)
    assert (back.version, back.deleted_at) == (3, None)
    assert await ada.request(notes.RESTORE, id=note.id, expected_version=2) == back


async def test_a_note_may_go_for_good_without_having_been_in_the_trash(ada):
    note = await ada.create("Note")
    with pytest.raises(VersionConflict):
        await ada.request(notes.PURGE, id=note.id, expected_version=2)
    await ada.request(notes.PURGE, id=note.id, expected_version=1)
    assert await ada.found("note") == await ada.titles() == []


async def test_deleting_for_good_may_be_repeated(ada):
    note = await ada.create("Note")
    for _ in range(2):
        await ada.request(notes.PURGE, id=note.id, idempotency_key="k")
    assert (await ada.request(notes.CHANGES)).cursor == 2
