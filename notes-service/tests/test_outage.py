"""PostgreSQL or NATS is away: a clear answer in time, nothing lost, and everything works again afterwards."""

import asyncio
import time

import pytest

from contracts import notes
from contracts.errors import ServiceUnavailable
from notes_service.main import running


@pytest.fixture
async def service(fragile):
    """Instead of the module's service: one whose lines can be cut."""
    async with running(fragile):
        yield


async def answered(person, seconds: float) -> notes.Note:
    """The first write that is answered."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                return await person.create("Back again")
            except ServiceUnavailable:
                await asyncio.sleep(0.05)


async def heard(tab, note: notes.Note) -> None:
    """Earlier changes may come first: again, or for the first time."""
    while (await tab.hear(1))[0].id != note.id:
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
        started = time.monotonic()
        with pytest.raises(ServiceUnavailable) as refused:
            await ada.ask(operation, **fields)
        assert time.monotonic() - started < 2
        assert refused.value.details["retry_after"] >= 1
    await database_line.connect()
    async with ada.tab() as tab:
        back = await answered(ada, 10)
        await heard(tab, back)
    assert await ada.titles() == ["Back again", "Before"]


async def test_a_database_that_does_not_answer_is_told_within_5_seconds(ada, database_line):
    await ada.create("Before")
    database_line.silence()
    started = time.monotonic()
    results = await asyncio.gather(*(ada.create("Lost") for _ in range(20)), return_exceptions=True)
    assert {type(result) for result in results} == {ServiceUnavailable}
    assert time.monotonic() - started < 5.5
    database_line.resume()
    assert (await answered(ada, 15)).title == "Back again"


async def test_a_lost_broker_is_found_again(ada, broker_line):
    await ada.create("Before")
    await broker_line.cut()
    with pytest.raises(ServiceUnavailable):
        await ada.create("During")
    await broker_line.connect()
    async with ada.tab() as tab:
        back = await answered(ada, 10)
        await heard(tab, back)
