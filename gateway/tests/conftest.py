"""A real gateway on real PostgreSQL and NATS, the agent behind it in the hands of the test, and signed-in clients."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
from nats.aio.client import Client

from contracts.ids import new_id
from gateway.accounts import passwords
from gateway.main import running
from gateway.settings import Settings
from notes_service import main as notes_main
from notes_service.settings import Settings as NotesSettings
from standalone.nats import Nats
from standalone.postgres import Postgres
from standalone.testing import SLOW_SECONDS, connection

from .scripted_agent import ScriptedAgent, scripted_agent

PASSWORD = "correct horse battery"
GIVEN_UP_SECONDS = 1.0
FILE_MAX_BYTES = 30 * 1024**2
FILE_QUOTA_BYTES = 64 * 1024**2


@dataclass
class Person:
    """A signed-in user: `http` carries the session cookie."""

    id: str
    name: str
    http: httpx.AsyncClient

    @property
    def cookie(self) -> str:
        return self.http.cookies["inkstream_session"]


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Generator[None]:
    """Hashed the same way for less: hundreds of people register here, and nobody steals what is stored of them."""
    with pytest.MonkeyPatch.context() as quick:
        quick.setattr(passwords, "TIME_COST", 1)
        quick.setattr(passwords, "MEMORY_KIB", 64)
        yield


@pytest.fixture(scope="session")
def settings(postgres: Postgres, broker: Nats, s3: str) -> Settings:
    return Settings(
        nats_url=broker.url("gateway"),
        database_url=postgres.dsn("accounts"),
        port=0,
        trusted_proxies="127.0.0.1",
        files_url=s3,
        file_max_bytes=FILE_MAX_BYTES,
        run_look_s=0.2,
        run_ask_s=0.4,
        run_limit_s=600,
        sign_ins_per_address=100_000,
        registrations_per_address=100_000,
        sockets_per_user=4,
    )


@pytest.fixture(scope="session")
async def gateway(settings: Settings, agent: ScriptedAgent) -> AsyncGenerator[str]:
    """The address of a running gateway."""
    async with running(settings) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
async def impatient(settings: Settings, agent: ScriptedAgent) -> AsyncGenerator[str]:
    """The address of a gateway that gives a run up after a second of silence, not after a minute and a half."""
    async with running(settings.model_copy(update={"run_limit_s": GIVEN_UP_SECONDS})) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="session")
async def agent_connection(broker: Nats) -> AsyncGenerator[Client]:
    async with connection(broker, "agent-service") as nc:
        yield nc


@pytest.fixture(scope="session")
async def agent_for_session(agent_connection: Client) -> AsyncGenerator[ScriptedAgent]:
    async with scripted_agent(agent_connection) as scripted:
        yield scripted


@pytest.fixture(scope="session")
def agent(agent_for_session: ScriptedAgent) -> ScriptedAgent:
    return agent_for_session


@pytest.fixture(scope="session")
async def notes_service(postgres: Postgres, broker: Nats, s3: str) -> AsyncGenerator[None]:
    """The real one, in this process."""
    settings = NotesSettings(
        nats_url=broker.url("notes-service"),
        database_url=postgres.dsn("notes"),
        files_url=s3,
        file_max_bytes=FILE_MAX_BYTES,
        files_per_user=20,
        file_bytes_per_user=FILE_QUOTA_BYTES,
    )
    async with notes_main.running(settings):
        yield


@pytest.fixture(autouse=True)
def _agent_unscripted(agent: ScriptedAgent) -> None:
    agent.on_start = None
    agent.refuse_with = None
    agent.away.clear()


NewPerson = Callable[[], Awaitable[Person]]


@pytest.fixture
async def nobody(gateway: str) -> AsyncGenerator[httpx.AsyncClient]:
    """A client without a session."""
    async with httpx.AsyncClient(base_url=gateway, timeout=SLOW_SECONDS) as http:
        yield http


@pytest.fixture
async def new_person(gateway: str) -> AsyncGenerator[NewPerson]:
    async with AsyncExitStack() as stack:

        async def register() -> Person:
            http = await stack.enter_async_context(httpx.AsyncClient(base_url=gateway, timeout=SLOW_SECONDS))
            name = f"u{new_id().replace('-', '_')}"
            answer = await http.post("/api/auth/register", json={"username": name, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
            return Person(answer.json()["user"]["id"], name, http)

        yield register


@pytest.fixture
async def ada(new_person: NewPerson) -> Person:
    return await new_person()


@pytest.fixture
async def bob(new_person: NewPerson) -> Person:
    return await new_person()
