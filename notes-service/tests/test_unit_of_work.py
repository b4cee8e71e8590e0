"""Create, update, delete, restore: versions, conflicts, the trash, and repeated writes."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from contracts import notes
from contracts.actor import Actor
from contracts.errors import NotFound, VersionConflict
from contracts.ids import new_id
from standalone.postgres import Postgres


@asynccontextmanager
async def database(postgres: Postgres) -> AsyncGenerator[Any]:
    db = await asyncpg.connect(postgres.dsn("notes"))
    try:
        yield db
    finally:
        await db.close()


async def test_a_note_is_as_it_was_written(ada):
    made = await ada.create("  Shopping  ", body="milk\r\n\neggs  ", tags=["food", "home", "food"])
    assert (made.title, made.body, made.tags, made.version) == ("Shopping", "milk\r\n\neggs  ", ["food", "home"], 1)
    assert (made.pinned, made.archived, made.deleted_at, made.updated_by.kind) == (False, False, None, "user")
    assert made.created_at == made.updated_at
    assert await ada.get(made.id) == made


async def test_an_update_changes_what_it_names(ada):
    made = await ada.create("Shopping", body="milk", tags=["food"])
    changed = await ada.update(made, body="eggs", pinned=True, expected_version=1)
    assert (changed.title, changed.body, changed.tags, changed.pinned, changed.version) == (
        *("Shopping", "eggs", ["food"], True, 2),
    )
    assert changed.created_at == made.created_at
    assert changed.updated_at > made.updated_at
    assert (await ada.update(changed, tags=[])).tags == []


async def test_an_update_with_nothing_new_is_no_version(ada):
    async with ada.tab() as tab:
        made = await ada.create("Shopping", body="milk")
        assert await ada.update(made, title="Shopping ", body="milk", pinned=False) == made
        assert await ada.update(made) == made
        changed = await ada.update(made, body="eggs")
        assert [change.version for change in await tab.receive(2)] == [1, 2]
    assert changed.version == 2


async def test_a_stale_write_is_refused_with_the_note_as_it_is(ada):
    made = await ada.create("Shopping", body="milk")
    changed = await ada.update(made, body="eggs")
    for operation, fields in ((notes.UPDATE, {"body": "bread"}), (notes.DELETE, {})):
        with pytest.raises(VersionConflict) as refused:
            await ada.request(operation, id=made.id, expected_version=1, **fields)
        assert notes.Note.model_validate(refused.value.details["current"]) == changed
    assert await ada.get(made.id) == changed


async def test_of_two_writers_who_saw_the_same_version_one_wins(ada):
    made = await ada.create()
    results = await asyncio.gather(
        *(ada.update(made, body=f"{number}", expected_version=1) for number in range(20)), return_exceptions=True
    )
    won = [result for result in results if isinstance(result, notes.Note)]
    assert len(won) == 1
    assert all(isinstance(result, notes.Note | VersionConflict) for result in results)
    assert await ada.get(made.id) == won[0]


async def test_the_trash_keeps_a_note_until_it_is_restored(ada):
    made = await ada.create("Shopping", body="milk")
    deleted = await ada.request(notes.DELETE, id=made.id)
    assert deleted.version == 2
    assert deleted.deleted_at is not None
    assert await ada.get(made.id) == deleted
    assert await ada.request(notes.DELETE, id=made.id, expected_version=1) == deleted
    assert await ada.titles() == []
    assert await ada.titles(trashed=True) == ["Shopping"]
    with pytest.raises(NotFound, match="trash"):
        await ada.update(made, body="eggs")
    restored = await ada.request(notes.RESTORE, id=made.id)
    assert (restored.version, restored.deleted_at, restored.body) == (3, None, "milk")
    assert await ada.request(notes.RESTORE, id=made.id) == restored
    assert await ada.titles() == ["Shopping"]


async def test_every_version_is_kept_with_who_made_it(ada, postgres):
    made = await ada.create("One", body="1", tags=["a"])
    run, call = new_id(), "call_1"
    ada.actor = Actor(user_id=ada.actor.user_id, kind="agent", run_id=run, call_id=call)
    changed = await ada.update(made, title="Two", body="2")
    assert changed.updated_by.model_dump() == {"kind": "agent", "run_id": run, "call_id": call}
    await ada.request(notes.DELETE, id=made.id)
    async with database(postgres) as db:
        rows = await db.fetch(
            "SELECT version, op, title, body, tags, actor ->> 'kind', actor ->> 'call_id' FROM notes.revisions "
            "WHERE user_id = $1 AND note_id = $2 ORDER BY version",
            ada.actor.user_id,
            made.id,
        )
    assert [tuple(row) for row in rows] == [
        (1, "create", "One", "1", ["a"], "user", None),
        (2, "update", "Two", "2", ["a"], "agent", call),
        (3, "delete", "Two", "2", ["a"], "agent", call),
    ]


async def test_a_repeated_create_answers_with_the_first_note(ada):
    async with ada.tab() as tab:
        first = await ada.create("Once", idempotency_key="k")
        assert await ada.create("Once", idempotency_key="k") == first
        changed = await ada.update(first, body="since then")
        assert await ada.create("Once", idempotency_key="k") == first
        assert [change.op for change in await tab.receive(2)] == ["create", "update"]
    assert await ada.get(first.id) == changed
    assert await ada.titles() == ["Once"]


async def test_a_key_belongs_to_one_user(ada, bob):
    assert (await ada.create("Hers", idempotency_key="k")).title == "Hers"
    assert (await bob.create("His", idempotency_key="k")).title == "His"


async def test_every_write_may_be_repeated(ada):
    made = await ada.create("Note")
    for operation, fields in (
        (notes.UPDATE, {"body": "new", "expected_version": 1}),
        (notes.DELETE, {"expected_version": 2}),
        (notes.RESTORE, {}),
        (notes.UPDATE, {"body": "new"}),  # changes nothing, which is stored as its result
    ):
        first = await ada.request(operation, id=made.id, idempotency_key=f"{operation.name} {fields}", **fields)
        again = await ada.request(operation, id=made.id, idempotency_key=f"{operation.name} {fields}", **fields)
        assert again == first
    assert (await ada.get(made.id)).version == 4


async def test_a_repeat_at_the_same_time_is_one_write(ada):
    made = await asyncio.gather(*(ada.create("Once", idempotency_key="k") for _ in range(10)))
    assert len({note.id for note in made}) == 1
    assert await ada.titles() == ["Once"]


async def test_a_refused_write_does_not_use_up_its_key(ada):
    made = await ada.create()
    await ada.update(made, body="2")
    with pytest.raises(VersionConflict):
        await ada.update(made, body="3", expected_version=1, idempotency_key="k")
    assert (await ada.update(made, body="3", expected_version=2, idempotency_key="k")).version == 3


async def test_a_repeat_after_the_note_is_gone_for_good_makes_no_second_one(ada, postgres):
    made = await ada.create("Once", idempotency_key="k")
    async with database(postgres) as db:
        await db.execute("DELETE FROM notes.notes WHERE user_id = $1 AND id = $2", ada.actor.user_id, made.id)
    with pytest.raises(NotFound):
        await ada.create("Once", idempotency_key="k")
    assert await ada.titles() == []


async def test_an_unknown_note_is_not_found(ada):
    for operation in (notes.GET, notes.UPDATE, notes.DELETE, notes.RESTORE):
        with pytest.raises(NotFound):
            await ada.request(operation, id=new_id())
