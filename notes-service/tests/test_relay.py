"""Changes that are unpublished after a crash or an outage of the broker are published, in order."""

import asyncio

import asyncpg
import pytest
from prometheus_client import CollectorRegistry

from contracts import notes, streams, subjects
from notes_service.main import running
from notes_service.quota import Quota
from notes_service.relay import Relay
from notes_service.repository import ChangeRepository
from notes_service.service import NotesService
from servicekit import bus, database
from servicekit.background import LoopHealth
from standalone.testing import connection, until

from .conftest import unit_of_work


@pytest.fixture
async def db(postgres):
    connection = await asyncpg.connect(postgres.dsn("notes"))
    yield connection
    await connection.close()


async def unpublished(db, person) -> int:
    return await db.fetchval(
        "SELECT count(*) FROM notes.changes WHERE user_id = $1 AND NOT published", person.actor.user_id
    )


async def test_what_is_published_is_marked(ada, db):
    async with ada.tab() as tab:
        await ada.create()
        await tab.receive(1)

    async def marked() -> bool:
        return await unpublished(db, ada) == 0

    await until("every change marked", marked)


async def test_what_a_crash_left_is_published_in_order(ada, db):
    """A crash between commit and publishing leaves rows for which no relay was woken."""
    async with ada.tab() as tab:
        made = await ada.create()
        await tab.receive(1)
        async with db.transaction():
            for cursor in (2, 3):
                await db.execute(
                    "INSERT INTO notes.changes (user_id, cursor, op, note_id, version, actor, created_at) "
                    "VALUES ($1, $2::bigint, 'update', $3, $2::bigint, '{\"kind\":\"user\"}', now())",
                    ada.actor.user_id,
                    cursor,
                    made.id,
                )
            await db.execute("UPDATE notes.feed SET cursor = 3 WHERE user_id = $1", ada.actor.user_id)
        assert [change.cursor for change in await tab.receive(2)] == [2, 3]


async def test_a_change_published_and_not_marked_comes_again_under_its_id(ada, db, broker):
    """After a crash between publishing and marking, readers drop the duplicate by its cursor, the stream by its id."""
    subject = subjects.user_notes(ada.actor.user_id)
    async with ada.tab() as tab, connection(broker, "admin") as admin:
        await ada.create()
        await tab.receive(1)
        await until_marked(db, ada)
        await db.execute("UPDATE notes.changes SET published = false WHERE user_id = $1", ada.actor.user_id)
        assert [change.cursor for change in await tab.receive(1)] == [1]
        await until_marked(db, ada)
        stored = await admin.jetstream().stream_info(streams.NOTE_EVENTS.name, subjects_filter=subject)
        assert stored.state.subjects == {subject: 1}


async def until_marked(db, person) -> None:
    async def marked() -> bool:
        return await unpublished(db, person) == 0

    await until("every change marked", marked)


async def test_a_claimed_user_is_left_to_who_claimed_them(ada, bob, db):
    claim = "SELECT pg_advisory_xact_lock(hashtextextended('publish ' || $1::text, 0))"
    async with ada.tab() as tab, bob.tab() as other_tab:
        async with db.transaction():
            await db.execute(claim, ada.actor.user_id)
            await ada.create()
            await bob.create()
            assert [change.cursor for change in await other_tab.receive(1)] == [1]
            assert tab.subscription.pending_msgs == 0
        assert [change.cursor for change in await tab.receive(1)] == [1]


async def test_more_than_a_batch(ada, db):
    await ada.create()
    await until_marked(db, ada)
    async with ada.tab() as tab:
        await asyncio.gather(*(ada.create(f"{number}") for number in range(250)))
        assert [change.cursor for change in await tab.receive(250)] == list(range(2, 252))


async def test_stopping_publishes_what_waits(somebody, settings):
    person = somebody()
    async with person.tab() as tab:
        async with running(settings):
            await asyncio.gather(*(person.create() for _ in range(20)))
        assert [change.cursor for change in await tab.receive(20)] == list(range(1, 21))


async def test_while_the_broker_is_away_changes_wait(fragile, broker_line, somebody, db):
    person = somebody()
    async with (
        database.pool(fragile.database_url, "notes") as pool,
        bus.connected(fragile.nats_url, "relay") as nc,
        person.tab() as tab,
    ):
        relay = Relay(nc, ChangeRepository(pool), LoopHealth(CollectorRegistry()))
        service = NotesService(pool, unit_of_work(pool, Quota(100, 10**6), relay))

        async def write(number: int) -> None:
            await service.create(notes.CreateNote(actor=person.actor, title=f"{number}"))

        async with relay.running():
            await write(1)
            await tab.receive(1)
            await until_marked(db, person)
            await broker_line.cut()

            async def away() -> bool:
                return not nc.is_connected

            await until("the broker away", away)
            await asyncio.gather(*(write(number) for number in range(10)))
            assert tab.subscription.pending_msgs == 0
            await broker_line.connect()
            assert [change.cursor for change in await tab.receive(10)] == list(range(2, 12))
