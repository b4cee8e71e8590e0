"""Fixtures: the real service in this process, on the real PostgreSQL and NATS of the test session, and its users."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from nats.aio.client import Client
from nats.aio.subscription import Subscription

from contracts import note_history, notes, subjects
from contracts.actor import Actor
from contracts.ids import new_id
from contracts.operation import Operation
from contracts.user_events import NoteChanged
from notes_service.main import running
from notes_service.quota import Quota
from notes_service.settings import Settings
from notes_service.unit_of_work import UnitOfWork
from servicekit import bus, rpc
from standalone.nats import Nats
from standalone.postgres import Postgres
from standalone.testing import SLOW_SECONDS

RECEIVE_SECONDS = 30


@dataclass
class Person:
    """A user, whose requests are sent as the gateway sends them."""

    nc: Client
    actor: Actor

    async def request(self, operation: Operation[Any, Any], **fields: Any) -> Any:
        return await rpc.call(self.nc, operation, operation.request(actor=self.actor, **fields))

    async def create(self, title: str = "A note", **fields: Any) -> notes.Note:
        return await self.request(notes.CREATE, title=title, **fields)

    async def update(self, note: notes.Note, **fields: Any) -> notes.Note:
        return await self.request(notes.UPDATE, id=note.id, **fields)

    async def get(self, note_id: str) -> notes.Note:
        return await self.request(notes.GET, id=note_id)

    async def titles(self, **fields: Any) -> list[str]:
        page: notes.NotePage = await self.request(notes.LIST, **fields)
        return [note.title for note in page.notes]

    async def search(self, q: str, **fields: Any) -> list[notes.SearchHit]:
        results: notes.SearchResults = await self.request(notes.SEARCH, q=q, **fields)
        return results.results

    async def history(self, note_id: str, **fields: Any) -> list[note_history.RevisionSummary]:
        """The history, newest first, from all pages."""
        page: note_history.RevisionPage = await self.request(note_history.REVISIONS, id=note_id, **fields)
        found = page.revisions
        while page.next_cursor:
            page = await self.request(note_history.REVISIONS, id=note_id, cursor=page.next_cursor, **fields)
            found += page.revisions
        return found

    def assistant(self, run_id: str) -> "Person":
        """The assistant, acting in this user's name."""
        return Person(self.nc, self.actor.model_copy(update={"kind": "agent", "run_id": run_id, "call_id": "c"}))

    async def found(self, q: str) -> list[str]:
        return [hit.note.title for hit in await self.search(q)]

    async def everything(self) -> dict[str, notes.Note]:
        """All notes, including the trash."""
        found = [
            note
            for trashed, archived in ((False, False), (False, True), (True, False))
            for note in (await self.request(notes.LIST, limit=200, trashed=trashed, archived=archived)).notes
        ]
        return {note.id: await self.get(note.id) for note in found}

    @asynccontextmanager
    async def tab(self) -> AsyncGenerator["Tab"]:
        """Receives the messages of this user's browser tabs."""
        subscription = await self.nc.subscribe(subjects.user_all(self.actor.user_id))
        await self.nc.flush()
        try:
            yield Tab(subscription)
        finally:
            await subscription.unsubscribe()


@dataclass
class Tab:
    subscription: Subscription

    async def receive(self, count: int) -> list[NoteChanged]:
        """The next changes, in the order of arrival."""
        return [
            NoteChanged.model_validate_json((await self.subscription.next_msg(SLOW_SECONDS)).data) for _ in range(count)
        ]

    async def receive_after(self, cursor: int) -> NoteChanged:
        """The first change after `cursor`; changes that were in flight when the tab opened are skipped."""
        while (received := (await self.receive(1))[0]).cursor <= cursor:
            pass
        return received


class NoRelay:
    """Publishes nothing: the running replicas find unpublished changes."""

    def wake(self, user_id: str) -> None:
        pass


def unit_of_work(pool: Any, quota: Quota, relay: Any = None) -> UnitOfWork:
    return UnitOfWork(pool, relay or NoRelay(), "english", quota)


@pytest.fixture(scope="session")
async def settings(postgres: Postgres, broker: Nats) -> Settings:
    return Settings(database_url=postgres.dsn("notes"), nats_url=broker.url("notes-service"))


@pytest.fixture
async def db(postgres: Postgres) -> AsyncGenerator[Any]:
    """The database, for states that no request can cause: elapsed time, lost rows."""
    connection = await asyncpg.connect(postgres.dsn("notes"), server_settings={"search_path": "notes"})
    yield connection
    await connection.close()


@pytest.fixture(scope="module")
async def service(settings: Settings) -> AsyncGenerator[None]:
    async with running(settings):
        yield


@pytest.fixture(scope="session")
async def gateway(broker: Nats) -> AsyncGenerator[Client]:
    async with bus.connected(broker.url("gateway"), "gateway") as nc:
        yield nc


@pytest.fixture
def somebody(service: None, gateway: Client) -> Callable[[], Person]:
    """Creates users without notes."""
    return lambda: Person(gateway, Actor(user_id=new_id(), kind="user"))


@pytest.fixture
def ada(somebody: Callable[[], Person]) -> Person:
    return somebody()


@pytest.fixture
def bob(somebody: Callable[[], Person]) -> Person:
    return somebody()


@dataclass
class Line:
    """A connection to a server that a test can cut or stall."""

    port: int
    target: int
    server: asyncio.Server | None = None

    def __post_init__(self) -> None:
        self.writers: set[asyncio.StreamWriter] = set()
        self.open = asyncio.Event()
        self.open.set()

    async def connect(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self.server is not None
        self.server.close()
        for writer in list(self.writers):
            writer.transport.abort()

    def silence(self) -> None:
        """Stalls: connections stay open, but no data is forwarded."""
        self.open.clear()

    def resume(self) -> None:
        self.open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        self.writers |= {writer, far_writer}
        await asyncio.gather(self._copy(reader, far_writer), self._copy(far_reader, writer))
        self.writers -= {writer, far_writer}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self.open.wait()
                writer.write(data)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.transport.abort()


@asynccontextmanager
async def line_to(port: int) -> AsyncGenerator[Line]:
    line = Line(0, port)
    await line.connect()
    try:
        yield line
    finally:
        line.resume()
        await line.cut()


@pytest.fixture
async def database_line(postgres: Postgres) -> AsyncGenerator[Line]:
    async with line_to(postgres.port) as line:
        yield line


@pytest.fixture
async def broker_line(broker: Nats) -> AsyncGenerator[Line]:
    async with line_to(broker.port) as line:
        yield line


def through(url: str, server: Postgres | Nats, line: Line) -> str:
    return url.replace(f":{server.port}", f":{line.port}")


@pytest.fixture
def fragile(settings: Settings, postgres: Postgres, broker: Nats, database_line: Line, broker_line: Line) -> Settings:
    """Settings of a service whose connections to the servers a test can cut."""
    return settings.model_copy(
        update={
            "database_url": through(settings.database_url, postgres, database_line),
            "nats_url": through(settings.nats_url, broker, broker_line),
        }
    )
