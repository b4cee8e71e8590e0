"""Outages of PostgreSQL or NATS: a clear error in time, nothing lost, and everything works again afterwards."""

import asyncio
from contextlib import suppress

import pytest

from contracts import notes
from contracts.errors import ServiceUnavailable
from notes_service.main import running
from servicekit import database_timeout, rpc
from standalone.testing import SLOW_SECONDS, until


@pytest.fixture
async def service(fragile):
    """Replaces the module's service by one whose connections can be cut."""
    async with running(fragile):
        yield


async def answered(person) -> notes.Note:
    """Retries a write until it is answered. If the first response was lost, the write is not made twice."""

    async def look() -> notes.Note | None:
        with suppress(ServiceUnavailable):
            return await person.create("Back again", idempotency_key="back")
        return None

    return await until("a write that is answered", look)


async def received(tab, note: notes.Note) -> None:
    """Waits for the note's change. Earlier changes may arrive before it, also repeated ones."""
    while (await tab.receive(1))[0].id != note.id:
        pass


async def test_a_lost_database_is_told_at_once_and_comes_back(ada, database_line):
    made = await ada.create("Before")
    await database_line.cut()
    for operation, fields in (
        (notes.CREATE, {"title": "x"}),
        (notes.UPDATE, {"id": made.id, "body": "x"}),
        (notes.GET, {"id": made.id}),
        (notes.LIST, {}),
        (notes.SEARCH, {"q": "x"}),
        (notes.CHANGES, {"since": 0}),
    ):
        with pytest.raises(ServiceUnavailable) as refused:
            await rpc.call(ada.nc, operation, operation.request(actor=ada.actor, **fields), timeout=SLOW_SECONDS)
        assert refused.value.details["retry_after"] >= 1
    await database_line.connect()
    async with ada.tab() as tab:
        back = await answered(ada)
        await received(tab, back)
    assert await ada.titles() == ["Back again", "Before"]


async def test_a_database_that_does_not_answer_is_told_by_the_service_itself(ada, database_line):
    await ada.create("Before")
    database_line.silence()
    request = notes.CreateNote(actor=ada.actor, title="Lost")
    calls = (rpc.call(ada.nc, notes.CREATE, request, timeout=10 * SLOW_SECONDS) for _ in range(20))
    async with asyncio.timeout(SLOW_SECONDS):
        results = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(result) for result in results} == {ServiceUnavailable}
    assert notes.CREATE.timeout > database_timeout.ANSWER_SECONDS
    database_line.resume()
    assert (await answered(ada)).title == "Back again"


async def test_a_lost_broker_is_found_again(ada, broker_line):
    await ada.create("Before")
    await broker_line.cut()
    with pytest.raises(ServiceUnavailable):
        await ada.create("During")
    await broker_line.connect()
    async with ada.tab() as tab:
        back = await answered(ada)
        await received(tab, back)
