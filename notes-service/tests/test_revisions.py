"""The versions of a note: the list, the content of each, and restoring one."""

from datetime import timedelta
from importlib import import_module
from itertools import pairwise

import pytest

from contracts import note_history, notes
from contracts.errors import NotFound, ValidationFailed, VersionConflict
from contracts.ids import new_id
from notes_service.repository.history_pruning import (
    LISTED_MAX,
    NEWEST_LISTED,
    PRUNE_EVERY,
    UNLISTED_BYTES,
    UNLISTED_MAX,
)
from notes_service.repository.note_transaction import BURST_REMOVED_BYTES

PAUSE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def a_pause_is_longer_than_a_slow_save(monkeypatch):
    module = import_module("notes_service.repository.note_transaction")  # the package has a function of this name
    monkeypatch.setattr(module, "PAUSE", PAUSE)


async def pass_time(db, person, time: timedelta) -> None:
    """Moves the times of the user's changes so far into the past."""
    await db.execute(
        "UPDATE revisions SET burst = burst - $2::interval, created_at = created_at - $2::interval WHERE user_id = $1",
        person.actor.user_id,
        time,
    )


async def begin_earlier(db, person, minutes: int) -> None:
    """Moves the beginnings of the user's bursts into the past, as if there had been more saves in them."""
    await db.execute(
        "UPDATE revisions SET burst = burst - $2::interval WHERE user_id = $1",
        person.actor.user_id,
        timedelta(minutes=minutes),
    )


async def bodies(person, note) -> list[str]:
    """The texts of the versions in the history, oldest first."""
    shown = [
        await person.request(note_history.REVISION, id=note.id, version=version)
        for version in await versions(person, note)
    ]
    return [revision.body for revision in reversed(shown)]


async def versions(person, note) -> list[int]:
    return [revision.version for revision in await person.history(note.id)]


async def test_every_version_tells_what_it_held_and_who_made_it(ada):
    run = new_id()
    made = await ada.create("One", body="1", tags=["a"])
    await ada.assistant(run).update(made, title="Two", body="2", pinned=True)
    await ada.request(notes.DELETE, id=made.id)
    shown = await ada.history(made.id)
    assert [(r.version, r.op, r.title, r.actor.kind, r.actor.run_id) for r in shown] == [
        (3, "delete", "Two", "user", None),
        (2, "update", "Two", "agent", run),
        (1, "create", "One", "user", None),
    ]
    assert shown[2].created_at == made.created_at
    first = await ada.request(note_history.REVISION, id=made.id, version=1)
    assert (first.title, first.body, first.tags, first.pinned, first.archived) == ("One", "1", ["a"], False, False)
    assert (await ada.request(note_history.REVISION, id=made.id, version=2)).pinned is True
    for version in (4, 2**31 - 1):
        with pytest.raises(NotFound, match="version"):
            await ada.request(note_history.REVISION, id=made.id, version=version)


async def test_pages_of_a_history_follow_on(ada):
    made = await ada.create()
    for number in range(7):
        await ada.assistant(new_id()).update(made, body=f"{number}")
    assert [r.version for r in await ada.history(made.id, limit=3)] == list(range(8, 0, -1))
    assert (await ada.request(note_history.REVISIONS, id=made.id, limit=8)).next_cursor is None
    for cursor in ("x", "-1", "", "9" * 20, "٣"):
        with pytest.raises(ValidationFailed):
            await ada.request(note_history.REVISIONS, id=made.id, cursor=cursor)


async def test_what_a_person_saves_in_a_burst_is_one_version(ada):
    made = await ada.create("Note", body="")
    for text in ("a", "ab", "abc"):
        await ada.update(made, body=text)
    assert await versions(ada, made) == [4, 1]
    assert (await ada.request(note_history.REVISION, id=made.id, version=4)).body == "abc"
    # another tab may be based on an unlisted version, and needs it for merging its own edit
    assert (await ada.request(note_history.REVISION, id=made.id, version=2)).body == "a"


async def test_a_burst_ends_after_some_minutes_however_long_it_goes_on(ada, db):
    made = await ada.create("Note", body="")
    for number in range(9):
        await ada.update(made, body="word " * number)
        await begin_earlier(db, ada, 2)
    assert await versions(ada, made) == [9, 7, 4, 1]


TYPED = "A paragraph that somebody has typed. " * 4


@pytest.mark.parametrize(
    ("texts", "listed"),
    [
        ([TYPED, ""], [TYPED, ""]),
        ([TYPED, "", "typed anew"], [TYPED, "typed anew"]),
        ([TYPED, TYPED[::-1], TYPED[::-1] + "."], [TYPED, TYPED[::-1] + "."]),
        ([TYPED, TYPED[:50] + TYPED[75:], TYPED[:50] + TYPED[75:] + "x"], [TYPED, TYPED[:50] + TYPED[75:] + "x"]),
        ([TYPED, TYPED + "x", TYPED + "xy", TYPED + "y"], [TYPED + "y"]),
    ],
    ids=["wiped", "wiped and typed", "replaced", "a sentence removed", "a letter removed"],
)
async def test_a_burst_ends_where_a_save_removes_much(ada, texts, listed):
    made = await ada.create("Note", body="")
    for text in texts:
        await ada.update(made, body=text)
    assert await bodies(ada, made) == ["", *listed]


async def test_a_text_that_shrinks_letter_by_letter_stays_in_the_history(ada):
    made = await ada.create("Note", body="")
    for length in range(len(TYPED), -1, -4):
        await ada.update(made, body=TYPED[:length])
    kept = await bodies(ada, made)
    longest = [max(map(len, kept))] + [len(text) for text in kept[2:]]
    assert longest[0] >= len(TYPED) - BURST_REMOVED_BYTES
    assert all(before - after <= 2 * BURST_REMOVED_BYTES for before, after in pairwise(longest))


async def test_a_text_that_stood_for_a_while_stays_in_the_history(ada, db):
    made = await ada.create("Note", body="")
    texts = ["at five", "at six", "at six or seven", "six"]
    for text in texts:
        await ada.update(made, body="being typed")
        await ada.update(made, body=text)
        await pass_time(db, ada, PAUSE)
    assert await bodies(ada, made) == ["", *texts]


async def test_tags_and_titles_that_were_removed_stay_in_the_history(ada):
    made = await ada.create("Note")
    await ada.update(made, tags=["accounting", "invoices 2026", "kept"])
    await ada.update(made, tags=["kept"])
    await ada.update(made, title="A title that somebody has chosen")
    await ada.update(made, title="Note")
    assert await versions(ada, made) == [5, 4, 2, 1]


async def test_others_never_join_a_burst(ada):
    run, made = new_id(), await ada.create("Note", body="")
    await ada.update(made, body="mine")
    await ada.assistant(run).update(made, body="its")
    await ada.assistant(run).update(made, body="its again")
    await ada.update(made, body="mine again")
    await ada.request(notes.DELETE, id=made.id)
    await ada.request(notes.RESTORE, id=made.id)
    await ada.update(made, body="and again")
    assert await versions(ada, made) == list(range(8, 0, -1))


async def test_a_write_that_joined_a_burst_may_still_be_repeated(ada):
    made = await ada.create("Note", body="", idempotency_key="k0")
    firsts = [await ada.update(made, body=f"{n}", idempotency_key=f"k{n}") for n in range(1, 100)]
    assert await versions(ada, made) == [100, 1]
    for number, first in enumerate(firsts, 1):
        assert await ada.update(made, body="anything", idempotency_key=f"k{number}") == first
    assert await ada.create("Other", idempotency_key="k0") == made


async def test_of_a_long_burst_only_the_end_is_kept(ada, db):
    made = await ada.create("Note", body="")
    for number in range(130):
        await ada.update(made, body=f"{number}")
    count = await db.fetchval("SELECT count(*) FROM revisions WHERE note_id = $1", made.id)
    assert count <= 2 + UNLISTED_MAX + PRUNE_EVERY
    assert await versions(ada, made) == [131, 1]


async def test_keys_keep_the_versions_of_an_hour_and_not_more(ada, db):
    """The page sends an idempotency key with every save."""
    made = await ada.create("Note", body="")
    for number in range(130):
        await ada.update(made, body=f"{number}", idempotency_key=f"{number}")
        if number == 64:
            await db.execute("UPDATE idempotency SET created_at = now() - interval '2 hours'")
    count = await db.fetchval("SELECT count(*) FROM revisions WHERE note_id = $1", made.id)
    assert count <= 2 + 65 + PRUNE_EVERY
    assert (await ada.update(made, body="again", idempotency_key="65")).body == "65"
    with pytest.raises(VersionConflict):
        await ada.update(made, body="again", idempotency_key="0")


async def test_a_long_history_keeps_its_ends_and_thins_its_middle(ada, db):
    made = await ada.create("Note", body="")
    assistant = ada.assistant(new_id())
    for number in range(LISTED_MAX + 3 * PRUNE_EVERY):
        await assistant.update(made, body=f"{number}")
        if number == 50:
            await pass_time(db, ada, timedelta(days=1))
    listed = await versions(ada, made)
    newest = LISTED_MAX + 3 * PRUNE_EVERY + 1
    assert LISTED_MAX <= len(listed) < LISTED_MAX + PRUNE_EVERY
    assert listed[:NEWEST_LISTED] == list(range(newest, newest - NEWEST_LISTED, -1))
    assert listed[-1] == 1


async def test_a_version_comes_back_as_a_new_one(ada):
    async with ada.tab() as tab:
        made = await ada.create("One", body="1", tags=["a"])
        await ada.update(made, title="Two", body="2", tags=["b"], pinned=True)
        back = await ada.request(note_history.RESTORE_REVISION, id=made.id, version=1, expected_version=2)
        assert (back.version, back.title, back.body, back.tags, back.pinned) == (3, "One", "1", ["a"], True)
        assert [change.op for change in await tab.receive(3)] == ["create", "update", "update"]
    assert await ada.get(made.id) == back
    assert await ada.found("two") == []
    assert await versions(ada, made) == [3, 2, 1]  # earlier versions stay in the history
    assert await ada.request(note_history.RESTORE_REVISION, id=made.id, version=1) == back
    with pytest.raises(VersionConflict):
        await ada.request(note_history.RESTORE_REVISION, id=made.id, version=2, expected_version=2)
    with pytest.raises(NotFound, match="version"):
        await ada.request(note_history.RESTORE_REVISION, id=made.id, version=9)
    await ada.request(notes.DELETE, id=made.id)
    with pytest.raises(NotFound, match="trash"):
        await ada.request(note_history.RESTORE_REVISION, id=made.id, version=2)


async def test_bringing_a_version_back_may_be_repeated(ada):
    made = await ada.create("One")
    await ada.update(made, title="Two")
    fields = {"id": made.id, "version": 1, "idempotency_key": "k"}
    first = await ada.request(note_history.RESTORE_REVISION, **fields)
    await ada.update(made, title="Three")
    assert await ada.request(note_history.RESTORE_REVISION, **fields) == first
    assert (await ada.get(made.id)).title == "Three"


async def test_a_burst_of_large_versions_is_thinned(ada, db):
    """Each is saved under a key of its own, as the page does it."""
    note = await ada.create("Large", body="x" * 253 * 1024)
    for number in range(60):
        await ada.update(note, body=f"{number:02}" + "x" * 253 * 1024, idempotency_key=f"{number}")
    stored = await db.fetchval("SELECT sum(octet_length(body)) FROM revisions WHERE note_id = $1", note.id)
    assert stored <= UNLISTED_BYTES + (PRUNE_EVERY + 1) * 254 * 1024
    assert [revision.version for revision in await ada.history(note.id)] == [61, 1]
    for number in range(53, 60):  # the newest of the burst can be repeated
        repeated = await ada.update(note, body="anything", idempotency_key=f"{number}")
        assert repeated.body.startswith(f"{number:02}")
