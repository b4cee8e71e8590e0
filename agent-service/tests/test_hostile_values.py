"""What a person may write, at its largest and oddest: in an index, a header, a cursor, a prompt."""

import pytest
from agents.testing import ScriptedModel, assistant_message
from pydantic import ValidationError

from contracts import chat
from contracts.chat import CONVERSATION_TITLE_MAX_CHARACTERS, INSTRUCTIONS_MAX_CHARACTERS, MESSAGE_MAX_CHARACTERS
from contracts.ids import new_id
from tests.hostile_text import ALPHABETS, hostile_text

from .people import Person, Serve


@pytest.mark.parametrize("name", ALPHABETS)
async def test_the_largest_values_are_stored_found_and_answered(serve: Serve, person: Person, name: str) -> None:
    title, instructions = (
        hostile_text(name, CONVERSATION_TITLE_MAX_CHARACTERS),
        hostile_text(name, INSTRUCTIONS_MAX_CHARACTERS),
    )
    message, key = hostile_text(name, MESSAGE_MAX_CHARACTERS), hostile_text(name, 100)
    model = ScriptedModel([[assistant_message(message)]])
    async with serve(model):
        made = await person.ask(chat.CONVERSATION_CREATE, title=title, instructions=instructions)
        fields = {"conversation_id": made.id, "client_request_id": key, "username": hostile_text(name, 64)}
        run_id = new_id()
        received = await person.listen(run_id)
        request = {"run_id": run_id, "message": message, **fields, "instructions": instructions}
        started = await person.ask(chat.RUN_START, **request)
        await received.done()
        assert await person.ask(chat.RUN_START, **request | {"run_id": new_id()}) == started
        for sought in (title, message[:200], instructions[:200], "%", "\\", "_"):
            await person.ask(chat.CONVERSATION_LIST, q=sought)
        read = await person.conversation(made.id)
        page = await person.ask(chat.CONVERSATION_LIST, limit=1)
        await person.ask(chat.CONVERSATION_LIST, limit=1, cursor=page.next_cursor)
    received.assert_contiguous()
    assert received.of("done")[0]["status"] == "completed"
    assert (read.title, read.instructions) == (made.title, made.instructions)
    assert [one.text for one in read.messages] == [message, message]


@pytest.mark.parametrize("field", ["message", "client_request_id", "instructions"])
def test_what_is_larger_is_refused(field: str) -> None:
    with pytest.raises(ValidationError):
        chat.StartRun.model_validate(
            {"actor": {"kind": "user", "user_id": new_id()}, "run_id": new_id(), "message": "Hello", "username": "ada"}
            | {field: "x" * 100_000}
        )
