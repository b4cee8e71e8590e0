"""A conversation is read in pages from its end: every page is a part of the branch, and together they are all of it."""

import itertools
import random
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from asyncpg.pool import Pool

from contracts import chat
from contracts.errors import NotFound
from contracts.ids import new_id
from servicekit import database
from standalone.postgres import Postgres

from .people import Person, Serve


@pytest.fixture
async def pool(postgres: Postgres) -> AsyncGenerator[Pool]:
    async with database.pool(postgres.dsn("chat"), "chat", size=1) as pool:
        yield pool


async def stored(pool: Pool, person: Person, messages: list[dict[str, Any]]) -> str:
    """A conversation with these messages (`id`, `parent_id`, `role`, `text`), the last of which is its head."""
    conversation_id, user_id = new_id(), person.actor.user_id
    await pool.execute(
        "INSERT INTO conversations (id, user_id, title, head) VALUES ($1, $2, 'Stored', $3)",
        *(conversation_id, user_id, messages[-1]["id"] if messages else None),
    )
    await pool.executemany(
        """
        INSERT INTO messages (id, conversation_id, user_id, parent_id, run_id, role, text, status)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'complete')
        """,
        [
            (one["id"], conversation_id, user_id, one["parent_id"], one.get("run_id"), one["role"], one["text"])
            for one in messages
        ],
    )
    return conversation_id


def turns(count: int, text: str = "") -> list[dict[str, Any]]:
    """So many questions and answers, one after the other."""
    made: list[dict[str, Any]] = []
    for number in range(2 * count):
        role, run_id = ("user", new_id()) if number % 2 == 0 else ("assistant", made[-1]["run_id"])
        parent_id = made[-1]["id"] if made else None
        made.append(
            {"id": new_id(), "parent_id": parent_id, "role": role, "text": f"{number} {text}", "run_id": run_id}
        )
    return made


async def pages(person: Person, conversation_id: str, limit: int) -> list[chat.Conversation]:
    """From the newest to the oldest."""
    found = [await person.ask(chat.CONVERSATION_GET, conversation_id=conversation_id, limit=limit)]
    while found[-1].has_earlier:
        before = found[-1].messages[0].id
        found.append(
            await person.ask(chat.CONVERSATION_GET, conversation_id=conversation_id, limit=limit, before=before)
        )
    return found


@pytest.mark.parametrize("seed", range(12))
async def test_pages_of_a_tree(serve: Serve, person: Person, pool: Pool, seed: int) -> None:
    """Each message has an earlier one as its parent, or none; the answers of a turn may be several messages."""
    chance = random.Random(seed)
    made: list[dict[str, Any]] = []
    for number in range(chance.randrange(1, 60)):
        parent = chance.choice([None, *made[-4:]]) if made and chance.random() < 0.3 else (made[-1] if made else None)
        role = "user" if parent is None else chance.choice(["user", "assistant", "assistant"])
        made.append({"id": new_id(), "parent_id": parent and parent["id"], "role": role, "text": str(number)})
    by_id = {one["id"]: one for one in made}
    branch: list[dict[str, Any]] = []
    step = made[-1]
    while step:
        branch.insert(0, step)
        step = by_id.get(step["parent_id"])
    limit = chance.randrange(1, 12)
    async with serve(demo_token_delay_ms=0):
        talk = await stored(pool, person, made)
        read = await pages(person, talk, limit)
        (whole,) = await pages(person, talk, chat.MESSAGES_PAGE_MAX)
    joined = [message for page in reversed(read) for message in page.messages]
    assert [message.id for message in joined] == [one["id"] for one in branch]
    assert joined == whole.messages
    for page in read:
        assert page.messages[0].role == "user"
        assert page.current_message_id == made[-1]["id"]
        first_turn = list(itertools.takewhile(lambda message: message.role == "assistant", page.messages[1:]))
        assert len(page.messages) - len(first_turn) <= limit or len(page.messages) == 1 + len(first_turn)
    for message in joined:
        same = [one["id"] for one in made if one["parent_id"] == by_id[message.id]["parent_id"]]
        assert message.siblings == (same if len(same) > 1 else [])


async def test_a_page_is_bounded_in_bytes(serve: Serve, person: Person, pool: Pool) -> None:
    """The largest messages that there are: all of them would not fit into one answer over NATS."""
    async with serve(demo_token_delay_ms=0):
        made = turns(100, "é" * 31_000)
        talk = await stored(pool, person, made)
        read = await pages(person, talk, chat.MESSAGES_PAGE_MAX)
    assert [message.id for page in reversed(read) for message in page.messages] == [one["id"] for one in made]
    assert max(len(page.messages) for page in read) <= 20


async def test_two_thousand_messages(serve: Serve, person: Person, pool: Pool, stranger: Person) -> None:
    async with serve(demo_token_delay_ms=0):
        made = turns(1_000, "Words about the weather. " * 10)
        talk = await stored(pool, person, made)
        newest = await person.ask(chat.CONVERSATION_GET, conversation_id=talk, limit=60)
        assert [message.id for message in newest.messages] == [one["id"] for one in made[-60:]]
        assert newest.has_earlier
        assert len(await pages(person, talk, 60)) == 34
        await person.ask(chat.CONVERSATION_UPDATE, conversation_id=talk, current_message_id=made[10]["id"])
        assert (await person.conversation(talk)).current_message_id == made[-1]["id"]
        for other, before in ((stranger, made[10]["id"]), (person, new_id())):
            with pytest.raises(NotFound):
                await other.ask(chat.CONVERSATION_GET, conversation_id=talk, before=before)


async def test_an_empty_conversation(serve: Serve, person: Person) -> None:
    async with serve(demo_token_delay_ms=0):
        made = await person.ask(chat.CONVERSATION_CREATE)
        read = await person.ask(chat.CONVERSATION_GET, conversation_id=made.id, limit=10)
    assert (read.messages, read.has_earlier, read.summary, read.current_message_id) == ([], False, None, None)
