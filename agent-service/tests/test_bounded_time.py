"""No text of a user or of a model keeps the event loop, on which all other users' answers are."""

import random
from typing import Any

import pytest
from agents.testing import ScriptedModel, assistant_message, function_call

from contracts import chat
from standalone.testing import longest_callback
from tests.model_server import Calls, ModelServer, Text

from .people import Person, Serve

LOOP_SECONDS = 0.05
DICE = random.Random(3)
LIMIT = 32_000
MESSAGES = {
    "brackets": "[" * LIMIT,
    "links to notes that never end": "[a](/notes/" * (LIMIT // 11),
    "backslashes": "[" + "\\" * (LIMIT - 1),
    "Chinese": "".join(chr(DICE.randrange(0x4E00, 0x9FFF)) for _ in range(LIMIT)),
    "spaces": "a" + " " * (LIMIT - 2) + "b",
    "control characters": "\x01" * LIMIT,
    "marks": "e" + "\u0301" * (LIMIT - 1),
}
LONG = "word " * 50_000
WORDS = " ".join(f"w{number}" for number in range(20_000))


@pytest.mark.parametrize("name", MESSAGES)
async def test_no_message_keeps_the_event_loop(serve: Serve, person: Person, name: str) -> None:
    text = MESSAGES[name]
    async with serve(ScriptedModel([[assistant_message(text)], [assistant_message("Hello.")]])):
        await person.talk("Warm up")
        with longest_callback() as longest:
            started, received = await person.talk(text)
            await person.conversation(started.conversation_id)
            await person.ask(chat.RUN_REPLAY, run_id=started.run_id)
            await person.ask(chat.CONVERSATION_LIST, q=text[:200])
    received.assert_contiguous()
    assert longest.seconds < LOOP_SECONDS, longest.callback


CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "a note of the largest size": ("create_note", {"title": "Long", "body": LONG}),
    "an edit whose words are not there": ("edit_note", {"find": WORDS, "replace": "x"}),
    "an edit of everything": ("edit_note", {"find": LONG, "replace": "[" * 200_000}),
    "a search": ("search_notes", {"query": "alpha " * 2_000}),
    "brackets": ("create_note", {"title": "[" * 5_000, "body": "[" * 5_000}),
}


@pytest.mark.parametrize("name", CALLS)
async def test_no_tool_call_keeps_the_event_loop(serve: Serve, person: Person, name: str) -> None:
    tool, arguments = CALLS[name]
    note = await person.note("Long", LONG)
    if tool == "edit_note":
        arguments = {"note_id": note.id, **arguments}
    steps = [[function_call(tool, arguments, call_id="c1")], [assistant_message("Done.")]]
    async with serve(ScriptedModel([[assistant_message("Hello.")], *steps])):
        await person.talk("Warm up")
        with longest_callback() as longest:
            _, received = await person.talk("Do it", note_id=note.id)
    received.assert_contiguous()
    assert len(received.of("tool_done")) == 1
    assert longest.seconds < LOOP_SECONDS, longest.callback


@pytest.mark.parametrize("window", [32_000, 10_000_000], ids=["summarised", "whole"])
async def test_no_conversation_keeps_the_event_loop(serve: Serve, person: Person, window: int) -> None:
    """Twenty messages of the largest size, which are read for each answer, and sent or summarised."""
    steps = [[assistant_message(MESSAGES["Chinese"])] for _ in range(30)]
    async with serve(ScriptedModel(steps), context_window=window):
        started, _ = await person.talk(MESSAGES["Chinese"])
        for _ in range(9):
            await person.talk(MESSAGES["Chinese"], conversation_id=started.conversation_id)
        with longest_callback() as longest:
            await person.talk("And now?", conversation_id=started.conversation_id)
            await person.conversation(started.conversation_id)
    assert longest.seconds < LOOP_SECONDS, longest.callback


@pytest.mark.parametrize("api", ["chat", "responses"])
@pytest.mark.parametrize(
    "arguments", ["[" * 100_000, '{"a":' * 20_000, '"' + "\\" * 100_000, "{'a': " * 20_000, "1" * 100_000]
)
async def test_no_arguments_from_a_server_keep_the_event_loop(
    serve: Serve, person: Person, api: str, arguments: str
) -> None:
    async with ModelServer() as server:
        settings = {"model": "local", "openai_api_key": "x", "openai_base_url": server.base_url, "api": api}
        async with serve(**settings):
            server.script(Text("Hello."), Calls([("create_note", arguments)]), Text("I see."))
            await person.talk("Warm up")
            with longest_callback() as longest:
                _, received = await person.talk("Do it")
    received.assert_contiguous()
    assert len(received.of("tool_done")) == 1
    assert longest.seconds < LOOP_SECONDS, longest.callback
