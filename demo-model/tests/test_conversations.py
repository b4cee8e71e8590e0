"""The demo model played through the SDK's real runner: what it does to the notes, and what it says it did."""

import json
from typing import Any

import pytest
from agents import Agent, RunConfig, Runner
from agents.items import TResponseInputItem
from agents.model_settings import ModelSettings
from agents.models.interface import ModelTracing
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import (
    ResponseCompletedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionToolCall,
    ResponseTextDeltaEvent,
)

from demo_model import DemoModel


async def test_creates_a_list_and_changes_it(talk: Any) -> None:
    said = await talk.say("create a note titled Shopping list with milk and eggs")
    assert talk.book.calls == ["create_note"]
    assert talk.book.body("Shopping list") == "- milk\n- eggs"
    assert "Shopping list" in said

    assert "Shopping list" in await talk.say("what notes do I have")
    await talk.say("find my note about eggs and add butter to it")
    assert talk.book.calls == ["search_notes", "edit_note"]
    await talk.say("change Milk to oat milk in it")
    await talk.say("remove eggs from my shopping list")
    assert talk.book.body("Shopping list") == "- oat milk\n- butter"

    await talk.say("rename it to Einkäufe and pin it")
    assert talk.book.titles() == ["Einkäufe"]
    assert "oat milk" in await talk.say("what does einkäufe say?")
    await talk.say("delete it")
    assert talk.book.notes == {}


async def test_calls_several_tools_at_once(talk: Any) -> None:
    said = await talk.say("create notes titled Alpha, Beta and Gamma")
    assert talk.book.titles() == ["Alpha", "Beta", "Gamma"]
    assert "3 notes" in said


async def test_deletes_several_at_once(talk: Any) -> None:
    for title in ("Alpha", "Beta", "Gamma"):
        talk.book.add(title)
    said = await talk.say("delete Alpha and delete Beta and delete Delta")
    assert talk.book.titles() == ["Gamma"]
    assert talk.book.calls == [
        "search_notes",
        "search_notes",
        "search_notes",
        "list_notes",
        "delete_note",
        "delete_note",
    ]
    assert "“Alpha” and “Beta”" in said
    assert "Delta" in said


async def test_a_link_is_the_note_itself(talk: Any) -> None:
    talk.book.add("Plan")
    meant = talk.book.add("Plan", "one")
    await talk.say(f"add two to [Plan](/notes/{meant}) and read it")
    assert talk.book.calls == ["edit_note", "read_note"]
    assert talk.book.notes[meant]["body"] == "one\ntwo"


async def test_asks_which_note_is_meant_and_goes_on_with_the_answer(talk: Any) -> None:
    talk.book.add("Rome trip")
    talk.book.add("Oslo trip")
    said = await talk.say("delete my trip and list my notes")
    assert "1. “Rome trip”" in said
    assert "2. “Oslo trip”" in said
    assert len(talk.book.notes) == 2
    await talk.say("the second one")
    assert talk.book.titles() == ["Rome trip"]


async def test_takes_a_title_as_the_answer(talk: Any) -> None:
    talk.book.add("Rome trip")
    talk.book.add("Oslo trip")
    await talk.say("add a tent to my trip")
    await talk.say("Rome trip")
    assert talk.book.body("Rome trip") == "a tent"


async def test_an_exact_title_wins(talk: Any) -> None:
    talk.book.add("Trip", "x")
    talk.book.add("Trip to Rome", "y")
    assert "x" in await talk.say("read Trip")


async def test_deletes_only_what_was_named(talk: Any) -> None:
    talk.book.add("Diary", "my secret plan")
    said = await talk.say("delete my secret plan")
    assert talk.book.titles() == ["Diary"]
    assert "1. “Diary”" in said


async def test_says_that_there_is_no_such_note(talk: Any) -> None:
    said = await talk.say("add butter to my shopping list")
    assert "found no note" in said
    assert "edit_note" not in talk.book.calls


async def test_forgives_a_typo_where_nothing_is_lost(talk: Any) -> None:
    talk.book.add("Shopping list", "- milk")
    await talk.say("add ham to my shoping list")
    assert talk.book.body("Shopping list") == "- milk\n- ham"
    await talk.say("delete my shoping list")
    assert talk.book.titles() == ["Shopping list"]


@pytest.mark.parametrize(
    "request_text",
    ["Write me a poem about ink", "write a poem on ink", "write an essay to my teacher", "put ink in a pen"],
)
async def test_a_request_that_names_no_note_changes_none(talk: Any, request_text: str) -> None:
    note_id = talk.book.add("Groceries", "- ink\n- a pen")
    talk.instructions = f"You are the assistant.\nOpen note: {note_id}\n"
    await talk.say(request_text)
    assert talk.book.body("Groceries") == "- ink\n- a pen"


async def test_asks_before_it_changes_a_note_that_only_mentions_the_words(talk: Any) -> None:
    talk.book.add("Diary", "the harbour at night")
    assert "1. “Diary”" in await talk.say("add a boat to my harbour")
    assert talk.book.body("Diary") == "the harbour at night"
    await talk.say("the first one")
    assert talk.book.body("Diary") == "the harbour at night\na boat"


async def test_this_note_is_the_open_one(talk: Any) -> None:
    note_id = talk.book.add("Plans", "rest")
    talk.book.add("Other")
    talk.instructions = f"You are the assistant.\nOpen note: {note_id}\n"
    await talk.say("change rest to work in this note")
    assert talk.book.body("Plans") == "work"
    assert "work" in await talk.say("read this note")


async def test_changes_one_line_among_similar_ones(talk: Any) -> None:
    talk.book.add("List", "- milk\n- oat milk\n- [ ] milk shake\n- milk bread")
    await talk.say("change milk to cream in List")
    assert talk.book.body("List") == "- cream\n- oat milk\n- [ ] milk shake\n- milk bread"
    await talk.say("remove milk shake from List")
    assert talk.book.body("List") == "- cream\n- oat milk\n- milk bread"
    said = await talk.say("remove milk from List")
    assert "2 times" in said
    assert "nothing" in said


async def test_keeps_the_tags_a_note_has(talk: Any) -> None:
    note_id = talk.book.add("Work", "", ["old"])
    await talk.say("tag Work with new")
    assert talk.book.notes[note_id]["tags"] == ["old", "new"]


@pytest.mark.parametrize(
    ("request_text", "failing"),
    [
        ("create a note titled New", "create_note"),
        ("delete Plans", "delete_note"),
        ("add x to Plans", "edit_note"),
        ("rename Plans to Y", "update_note"),
        ("pin Plans", "update_note"),
        ("change rest to work in Plans", "edit_note"),
        ("remove rest from Plans", "edit_note"),
        ("read Plans", "read_note"),
        ("list my notes", "list_notes"),
        ("search for rest", "search_notes"),
        ("create notes titled A and B", "create_note"),
    ],
)
async def test_never_claims_what_a_tool_did_not_do(talk: Any, request_text: str, failing: str) -> None:
    talk.book.add("Plans", "rest")
    talk.book.failing.add(failing)
    said = await talk.say(request_text)
    assert "could not" in said
    assert "The notes are away." in said
    assert talk.book.titles() == ["Plans"]


async def test_stops_after_a_step_that_failed(talk: Any) -> None:
    talk.book.add("Plans", "rest")
    talk.book.failing.add("edit_note")
    said = await talk.say("add x to Plans and delete it")
    assert "delete_note" not in talk.book.calls
    assert "nothing further" in said


async def test_is_honest_about_what_it_is(talk: Any) -> None:
    assert "demo" in await talk.say("what is the meaning of life?")
    assert "demo" in await talk.say("help")
    assert "demo" in await talk.say("hello")


async def test_tells_a_long_story_word_by_word(talk: Any) -> None:
    first = await talk.say("tell a long story")
    deltas = [event.delta for event in talk.events if isinstance(event, ResponseTextDeltaEvent)]
    assert len(deltas) >= 300
    assert "".join(deltas) == first
    assert first != await talk.say("tell a long story")
    assert "purple whale" in await talk.say("tell me a long story about a purple whale")


async def test_streams_arguments_in_pieces_and_counts_its_tokens(talk: Any) -> None:
    await talk.say("create a note titled Shopping list with milk and eggs")
    deltas = [event.delta for event in talk.events if isinstance(event, ResponseFunctionCallArgumentsDeltaEvent)]
    assert len(deltas) > 3
    assert json.loads("".join(deltas))["title"] == "Shopping list"
    completed = [event.response for event in talk.events if isinstance(event, ResponseCompletedEvent)]
    assert [response.status for response in completed] == ["completed"] * 2
    assert all(
        response.usage and response.usage.output_tokens and response.usage.input_tokens for response in completed
    )
    numbers = [event.sequence_number for event in talk.events]
    assert numbers == [*range(numbers.index(0, 1)), *range(len(numbers) - numbers.index(0, 1))]


async def test_answers_whole_as_well() -> None:
    run = await Runner.run(
        Agent(name="assistant", model=DemoModel(0)), "help", run_config=RunConfig(tracing_disabled=True)
    )
    assert "demo" in run.final_output
    assert run.context_wrapper.usage.output_tokens > 10


async def test_says_so_where_a_tool_is_missing() -> None:
    run = await Runner.run(
        Agent(name="assistant", model=DemoModel(0)), "list my notes", run_config=RunConfig(tracing_disabled=True)
    )
    assert "no tool “list_notes”" in run.final_output


async def answer(items: str | list[TResponseInputItem], instructions: str | None = None) -> list[Any]:
    response = await DemoModel(0).get_response(
        instructions, items, ModelSettings(), [], None, [], ModelTracing.DISABLED,
        previous_response_id=None, conversation_id=None, prompt=None,
    )  # fmt: skip
    return response.output


async def test_call_ids_are_never_repeated(talk: Any) -> None:
    await talk.say("create notes titled A and B")
    await talk.say("create notes titled C and D")
    calls = [
        item.call_id
        for event in talk.events
        if isinstance(event, ResponseCompletedEvent)
        for item in event.response.output
        if isinstance(item, ResponseFunctionToolCall)
    ]
    assert len(set(calls)) == 2


WORDS = st.sampled_from(
    ["delete", "my trip", "and", "read it", "the second one", "create a note titled", "“", "list my notes"]
)
TEXT = st.text(max_size=40) | st.lists(WORDS, max_size=6).map(" ".join)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["notes", "id", "title", "body", "tags", "error", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(["list_notes", "search_notes", "read_note", "create_note", "edit_note", "delete_note", "other"])
ITEM = (
    st.builds(lambda text: {"role": "user", "content": text}, TEXT)
    | st.builds(lambda text: {"role": "user", "content": [{"type": "input_text", "text": text}]}, TEXT)
    | st.builds(
        lambda name, call, arguments: {
            "type": "function_call", "name": name, "call_id": call, "arguments": arguments,
        },
        NAMES, st.sampled_from("abc"), JSON.map(json.dumps) | TEXT,
    )
    | st.builds(
        lambda call, output: {"type": "function_call_output", "call_id": call, "output": output},
        st.sampled_from("abc"), JSON.map(json.dumps) | TEXT | st.just([{"type": "input_text", "text": "{}"}]),
    )
    | st.builds(lambda text: {"role": "assistant", "content": text}, TEXT)
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(ITEM, max_size=8), TEXT)
async def test_no_conversation_makes_it_fail(items: list[Any], instructions: str) -> None:
    assert await answer(items, instructions)
    assert await answer(instructions)
