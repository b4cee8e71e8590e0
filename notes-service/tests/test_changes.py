"""The change feed: every change once and in order, so that clients can stay up to date with it."""

import asyncio
import random
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts import notes
from contracts.errors import DomainError
from contracts.ids import new_id
from contracts.user_events import NoteChanged
from notes_service.main import running


async def test_changes_are_numbered_and_tell_who_did_what(ada):
    run = new_id()
    async with ada.tab() as tab:
        made = await ada.create()
        ada.actor = ada.actor.model_copy(update={"kind": "agent", "run_id": run, "call_id": "c1"})
        await ada.update(made, body="new")
        await ada.request(notes.DELETE, id=made.id)
        await ada.request(notes.RESTORE, id=made.id)
        received = await tab.receive(4)
    assert [(change.cursor, change.op, change.version) for change in received] == [
        *((1, "create", 1), (2, "update", 2), (3, "delete", 3), (4, "restore", 4)),
    ]
    assert [change.actor.kind for change in received] == ["user", "agent", "agent", "agent"]
    assert (received[1].actor.run_id, received[1].actor.call_id) == (run, "c1")
    feed = await ada.request(notes.CHANGES, since=0)
    assert [NoteChanged(**change.model_dump(exclude={"note"})) for change in feed.changes] == received
    assert feed.cursor == 4


async def test_the_event_is_what_the_websocket_sends(ada):
    subscription = await ada.nc.subscribe(f"user.{ada.actor.user_id}.notes")
    await ada.nc.flush()
    made = await ada.create()
    msg = await subscription.next_msg(5)
    assert msg.data.decode() == (
        f'{{"op":"create","id":"{made.id}","version":1,"cursor":1,"actor":{{"kind":"user"}},"type":"note_changed"}}'
    )
    assert msg.headers["Nats-Msg-Id"] == f"{ada.actor.user_id}.1"
    await subscription.unsubscribe()


async def test_catching_up(ada):
    assert (await ada.request(notes.CHANGES)).cursor == 0
    made = [await ada.create(f"{number}") for number in range(5)]
    await ada.request(notes.DELETE, id=made[0].id)
    assert (await ada.request(notes.CHANGES)).cursor == 6
    feed = await ada.request(notes.CHANGES, since=2, limit=3)
    assert ([change.cursor for change in feed.changes], feed.cursor, feed.expired) == ([3, 4, 5], 5, False)
    assert [change.note.title for change in feed.changes if change.note] == ["2", "3", "4"]
    feed = await ada.request(notes.CHANGES, since=5)
    assert [(change.op, change.note) for change in feed.changes] == [("delete", None)]
    feed = await ada.request(notes.CHANGES, since=6)
    assert (feed.changes, feed.cursor, feed.expired) == ([], 6, False)


async def test_what_is_not_kept_any_more_or_never_was_is_told(ada, postgres):
    for number in range(3):
        await ada.create(f"{number}")
    db = await asyncpg.connect(postgres.dsn("notes"))
    try:
        await db.execute("DELETE FROM notes.changes WHERE user_id = $1 AND cursor < 3", ada.actor.user_id)
        for since, expired in ((0, True), (1, True), (2, False), (3, False), (4, True)):
            feed = await ada.request(notes.CHANGES, since=since)
            assert (feed.expired, feed.cursor) == (expired, 3), since
        await db.execute("DELETE FROM notes.changes WHERE user_id = $1", ada.actor.user_id)
        for since, expired in ((2, True), (3, False)):
            assert (await ada.request(notes.CHANGES, since=since)).expired == expired
    finally:
        await db.close()


def apply(change: notes.ChangedNote, known: dict[str, notes.NoteSummary]) -> None:
    """Applies a change as a tab does."""
    if change.note is None:
        known.pop(change.id, None)
    else:
        known[change.id] = change.note


async def listed(person) -> dict[str, notes.NoteSummary]:
    return {
        note.id: note
        for archived in (False, True)
        for note in (await person.request(notes.LIST, limit=200, archived=archived)).notes
    }


async def act(person, random: random.Random, step: int) -> None:
    """Performs a random action, often on the same few notes, and ignores a refusal."""
    known = list(await person.everything()) if random.random() < 0.8 else []
    try:
        if not known or random.random() < 0.3:
            await person.create(f"{step}", body=f"{random.random()}", idempotency_key=str(random.randrange(30)))
            return
        note_id = random.choice(known)
        choice = random.choice(["update", "stale", "pin", "archive", "delete", "restore"])
        fields: dict[str, Any] = {
            "update": {"body": f"{step} {random.random()}"},
            "stale": {"body": "stale", "expected_version": random.randrange(1, 4)},
            "pin": {"pinned": random.random() < 0.5},
            "archive": {"archived": random.random() < 0.5},
        }.get(choice, {})
        operation = {"delete": notes.DELETE, "restore": notes.RESTORE}.get(choice, notes.UPDATE)
        await person.request(operation, id=note_id, **fields)
    except DomainError as error:
        assert error.code in ("not_found", "version_conflict")


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), writers=st.integers(2, 8))
async def test_a_snapshot_and_the_events_since_make_the_fresh_snapshot(somebody, seed, writers):
    person = somebody()
    async with person.tab() as tab:

        async def write(number: int) -> None:
            chance = random.Random(seed + number)
            for step in range(8):
                await act(person, chance, step)

        await write(0)
        since = (await person.request(notes.CHANGES)).cursor
        snapshot = await listed(person)  # may contain later changes already: applying them again changes nothing
        await asyncio.gather(*(write(number) for number in range(1, writers)))
        newest = (await person.request(notes.CHANGES)).cursor
        received = await tab.receive(newest)
    assert [change.cursor for change in received] == list(range(1, newest + 1))
    while (feed := await person.request(notes.CHANGES, since=since, limit=7)).changes:
        assert [change.cursor for change in feed.changes] == list(range(since + 1, feed.cursor + 1))
        for change in feed.changes:
            apply(change, snapshot)
        since = feed.cursor
    assert snapshot == await listed(person)
    for note_id, note in (await person.everything()).items():
        assert max(change.version for change in received if change.id == note_id) == note.version


async def test_several_replicas_keep_one_order_for_each_user(somebody, settings):
    people = [somebody() for _ in range(3)]
    async with running(settings), running(settings):

        async def write(person) -> None:
            await asyncio.gather(*(person.create(f"{number}") for number in range(40)))

        async def receive(person) -> None:
            async with person.tab() as tab:
                await write(person)
                received = await tab.receive(40)
                assert [change.cursor for change in received] == list(range(1, 41))

        async with asyncio.TaskGroup() as tasks:
            for person in people:
                tasks.create_task(receive(person))


async def test_a_users_times_never_go_back(ada):
    made = await asyncio.gather(*(ada.create(f"{number}") for number in range(20)))
    feed = await ada.request(notes.CHANGES, since=0)
    by_id = {note.id: note for note in made}
    times = [by_id[change.id].created_at for change in feed.changes]
    assert times == sorted(times)


@pytest.mark.parametrize("since", [-1])
async def test_a_cursor_is_a_number_from_0(ada, since):
    with pytest.raises(ValueError, match="greater"):
        await ada.request(notes.CHANGES, since=since)
