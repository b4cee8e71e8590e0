"""PostgreSQL or the notes service is unavailable for a moment: requests are rejected, running work retries."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import asyncpg
import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message

from agent_service.repository.retry import with_retry
from agent_service.tools import requests
from contracts import chat, notes
from contracts.actor import Actor
from contracts.errors import ServiceUnavailable
from contracts.ids import new_id
from standalone.postgres import Postgres

from .people import Person, Serve

END_CONNECTIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'chat'"


@asynccontextmanager
async def database_away(postgres: Postgres) -> AsyncGenerator[None]:
    """The database disconnects the agent service and rejects its connections until the end of the block."""
    db = await asyncpg.connect(postgres.dsn())
    try:
        await db.execute("ALTER ROLE chat CONNECTION LIMIT 0")
        await db.execute(END_CONNECTIONS)
        yield
    finally:
        await db.execute("ALTER ROLE chat CONNECTION LIMIT -1")
        await db.close()


async def test_requests_fail_soon_while_the_database_is_away(serve: Serve, person: Person, postgres: Postgres) -> None:
    edited = {"run_id": new_id(), "conversation_id": new_id(), "message_id": new_id()}
    async with serve(ScriptedModel([[assistant_message("Hello.")]])):
        async with database_away(postgres):
            for operation, fields in (
                (chat.RUN_START, {"run_id": new_id(), "message": "Hello"}),
                (chat.RUN_GET, {"run_id": new_id()}),
                (chat.RUN_CANCEL, {"run_id": new_id()}),
                (chat.RUN_REPLAY, {"run_id": new_id()}),
                (chat.RUN_DECIDE, {"run_id": new_id(), "decisions": [{"call_id": "c", "approve": True}]}),
                (chat.RUN_EDIT, edited | {"message": "Hello again"}),
                (chat.RUN_REGENERATE, edited),
                (chat.CONVERSATION_LIST, {}),
                (chat.CONVERSATION_CREATE, {}),
                (chat.CONVERSATION_GET, {"conversation_id": new_id()}),
                (chat.CONVERSATION_UPDATE, {"conversation_id": new_id(), "title": "x"}),
                (chat.CONVERSATION_DELETE, {"conversation_id": new_id()}),
            ):
                with pytest.raises(ServiceUnavailable):
                    await person.ask(operation, **fields)
        _, received = await person.say_once_served("Hello")
        await received.done()


async def test_a_run_waits_for_a_database_that_is_away(serve: Serve, person: Person, postgres: Postgres) -> None:
    answering, go_on = asyncio.Event(), asyncio.Event()

    async def answer(_: object) -> list[Any]:
        answering.set()
        await go_on.wait()
        return [assistant_message("Still here.")]

    async with serve(ScriptedModel([ModelStep.respond(answer)])):
        _, received = await person.say("Hello")
        await answering.wait()
        async with database_away(postgres):
            go_on.set()
            await received.until(lambda: received.names[-1:] == ["token"])
        await received.done()
    received.assert_contiguous()
    assert received.of("done")[0]["status"] == "completed"


async def test_a_connection_lost_in_the_middle_of_a_prepare_is_a_database_that_is_away() -> None:
    errors = [asyncpg.InternalClientError("cannot switch to state 11; another operation (2) is in progress")]

    async def write() -> str:
        if errors:
            raise errors.pop()
        return "written"

    assert await with_retry(write) == "written"


async def test_a_tool_waits_for_a_notes_service_that_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty seconds: on a busy machine a service that dies twice takes that long."""
    now = 0.0

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    async def call(*_: object) -> str:
        if now < 20:
            raise ServiceUnavailable
        return "answer"

    monkeypatch.setattr(requests, "asyncio", SimpleNamespace(sleep=sleep))
    monkeypatch.setattr(requests, "rpc", SimpleNamespace(call=call))
    caller: Any = SimpleNamespace(run_context=SimpleNamespace(nc=None))
    assert (
        await requests.send(caller, notes.LIST, notes.ListNotes(actor=Actor(kind="agent", user_id=new_id())))
        == "answer"
    )
