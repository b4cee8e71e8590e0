"""No operation returns or changes data of another user."""

import pytest

from contracts import notes
from contracts.errors import NotFound
from contracts.ids import new_id

OPERATIONS = [notes.GET, notes.UPDATE, notes.DELETE, notes.RESTORE]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
async def test_another_users_note_is_not_found(ada, bob, operation):
    hers = await ada.create("Hers", body="secret")
    with pytest.raises(NotFound) as foreign:
        await bob.request(operation, id=hers.id)
    with pytest.raises(NotFound) as unknown:
        await bob.request(operation, id=new_id())
    assert foreign.value.message == unknown.value.message
    assert await ada.get(hers.id) == hers


async def test_lists_searches_overviews_and_changes_are_ones_own(ada, bob):
    await ada.create("Hers", body="secret", tags=["secret"])
    await ada.request(notes.DELETE, id=(await ada.create("Hers too", body="secret")).id)
    for fields in ({}, {"trashed": True}, {"archived": True}, {"tag": "secret"}):
        assert await bob.titles(**fields) == []
    assert await bob.search("secret") == []
    assert (await bob.request(notes.OVERVIEW)).count == 0
    assert (await bob.request(notes.CHANGES)).cursor == 0
    assert (await bob.request(notes.CHANGES, since=0)).changes == []


async def test_another_users_cursor_shows_ones_own_notes(ada, bob):
    for person in (ada, bob):
        for number in range(3):
            await person.create(f"{number}")
    cursor = (await ada.request(notes.LIST, limit=1)).next_cursor
    own = {note.id for note in (await bob.request(notes.LIST)).notes}
    assert {note.id for note in (await bob.request(notes.LIST, cursor=cursor)).notes} <= own


async def test_another_users_key_repeats_nothing(ada, bob):
    hers = await ada.create("Hers", idempotency_key="k")
    his = await bob.create("His", idempotency_key="k")
    assert hers.id != his.id


async def test_tabs_hear_their_own_user(ada, bob):
    async with bob.tab() as tab:
        await ada.create("Hers")
        his = await bob.create("His")
        assert [change.id for change in await tab.receive(1)] == [his.id]
