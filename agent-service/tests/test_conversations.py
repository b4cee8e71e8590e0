"""Conversations: created, listed, searched, renamed, deleted."""

import asyncio
import base64
import json
from typing import Any

import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message
from asyncpg.pool import Pool

from agent_service.run_commands import title_of
from contracts import chat
from contracts.errors import NotFound, QuotaExceeded, ValidationFailed
from contracts.ids import new_id
from servicekit import database
from standalone.postgres import Postgres
from standalone.testing import until

from .people import Person, Serve


async def test_listed_in_pages_newest_first(serve: Serve, person: Person) -> None:
    async with serve(ScriptedModel([])):
        made = [await person.ask(chat.CONVERSATION_CREATE, title=f"Talk {number}") for number in range(5)]
        seen: list[str] = []
        cursor = None
        while True:
            page: chat.ConversationPage = await person.ask(chat.CONVERSATION_LIST, limit=2, cursor=cursor)
            seen += [talk.id for talk in page.conversations]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert seen == [talk.id for talk in reversed(made)]
        with pytest.raises(ValidationFailed):
            await person.ask(chat.CONVERSATION_LIST, cursor="nonsense")


@pytest.mark.parametrize(
    "moment",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00", "9999-12-31T23:59:59", 1e300],
)
async def test_a_cursor_from_either_end_of_the_calendar_is_refused_or_read(
    serve: Serve, person: Person, moment: object
) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps([moment, new_id()]).encode()).decode()
    async with serve(ScriptedModel([])):
        try:
            page = await person.ask(chat.CONVERSATION_LIST, cursor=cursor)
        except ValidationFailed as error:
            assert error.details["errors"][0]["field"] == "cursor"
        else:
            assert page.conversations == []


async def test_so_many_conversations_and_so_much_in_their_instructions(serve: Serve, person: Person) -> None:
    model = ScriptedModel([[assistant_message("Yes.")]] * 3)
    async with serve(model, conversations_per_user=3, instructions_bytes_per_user=1000):
        with pytest.raises(QuotaExceeded, match="instructions"):
            await person.ask(chat.CONVERSATION_CREATE, instructions="é" * 600)
        talks = [await person.ask(chat.CONVERSATION_CREATE, instructions="x" * 200) for _ in range(2)]
        started, _ = await person.talk("Hello", client_request_id="once")
        assert await person.ask(chat.CONVERSATION_USAGE) == chat.ConversationUsage(conversations=3, conversations_max=3)
        for _ in range(2):
            with pytest.raises(QuotaExceeded, match="delete some"):
                await person.ask(chat.CONVERSATION_CREATE)
            with pytest.raises(QuotaExceeded, match="delete some"):
                await person.say("In a new one")
        again, _ = await person.say("Hello", client_request_id="once")
        assert again.conversation_id == started.conversation_id  # a repeat needs no room
        await person.talk("Go on", conversation_id=started.conversation_id)
        ref = {"conversation_id": talks[0].id}
        with pytest.raises(QuotaExceeded, match="instructions"):
            await person.ask(chat.CONVERSATION_UPDATE, **ref, instructions="y" * 700)
        await person.ask(chat.CONVERSATION_UPDATE, **ref, instructions="")
        await person.ask(chat.CONVERSATION_DELETE, **ref)
        await person.talk("In a new one")


async def test_found_by_title_and_by_what_was_said(serve: Serve, person: Person) -> None:
    async with serve(ScriptedModel([[assistant_message("The capital is Paris.")]])):
        await person.ask(chat.CONVERSATION_CREATE, title="100% sure")
        started, _ = await person.talk("What is the capital of France?")

        async def found(q: str) -> list[str]:
            page: chat.ConversationPage = await person.ask(chat.CONVERSATION_LIST, q=q)
            return [talk.title for talk in page.conversations]

        assert await found("paris") == ["What is the capital of France?"]
        assert await found("100%") == ["100% sure"]
        assert await found("_") == []
        assert started.conversation_id


async def test_renamed_with_instructions_that_the_model_hears(serve: Serve, person: Person) -> None:
    model = ScriptedModel([[assistant_message("Know thyself.")]])
    async with serve(model):
        talk: chat.Conversation = await person.ask(chat.CONVERSATION_CREATE)
        assert talk.title == "New conversation"
        ref = {"conversation_id": talk.id}
        await person.ask(chat.CONVERSATION_UPDATE, **ref, instructions="You are Plato.")
        await person.talk("Who are you?", **ref)
        assert (await person.conversation(talk.id)).title == "Who are you?"
        await person.ask(chat.CONVERSATION_UPDATE, **ref, title="Plato")
        renamed = await person.conversation(talk.id)
    assert (renamed.title, renamed.instructions) == ("Plato", "You are Plato.")
    assert model.last_call is not None
    assert "You are Plato." in str(model.last_call.system_instructions)


async def test_deleted_while_the_assistant_answers(serve: Serve, person: Person) -> None:
    async def never(_: Any) -> Any:
        await asyncio.Event().wait()

    async with serve(ScriptedModel([ModelStep.respond(never)])):
        started, received = await person.say("Hello")
        await received.until(lambda: "run" in received.names)
        await person.ask(chat.CONVERSATION_DELETE, conversation_id=started.conversation_id)
        await received.done()
        with pytest.raises(NotFound):
            await person.conversation(started.conversation_id)
        assert (await person.ask(chat.CONVERSATION_LIST)).conversations == []
    received.assert_contiguous()
    assert received.of("done")[0]["status"] == "cancelled"


def test_a_title_shows_no_address_of_a_note() -> None:
    assert title_of(f"Add a tent to\n[Plan \\[old\\]](/notes/{new_id()})") == "Add a tent to Plan [old]"


async def test_a_conversation_is_read_from_one_snapshot(serve: Serve, person: Person, postgres: Postgres) -> None:
    """A run continues while the conversation is being read: all of it is shown, or none."""
    async with serve(ScriptedModel([[assistant_message("Hello.")]])), database.pool(postgres.dsn("chat"), "chat") as db:
        started, _ = await person.talk("Hello")
        async with db.acquire() as connection:
            change = connection.transaction()
            await change.start()
            await connection.execute("LOCK TABLE tool_calls IN ACCESS EXCLUSIVE MODE")
            reading = asyncio.ensure_future(person.conversation(started.conversation_id))
            await until("a reader that waits for the lock", lambda: _somebody_waits(db))
            await connection.execute("UPDATE messages SET text = 'Later.' WHERE run_id = $1", started.run_id)
            await connection.execute("UPDATE runs SET undone_at = now() WHERE id = $1", started.run_id)
            await change.commit()
        seen = await reading
    assert [(message.text, message.undone) for message in seen.messages] == [("Hello", False), ("Hello.", False)]


async def _somebody_waits(db: Pool) -> bool:
    return await db.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
