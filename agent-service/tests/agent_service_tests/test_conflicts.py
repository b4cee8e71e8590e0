"""The assistant writes on what it has seen: what others wrote meanwhile stays, and the model is told of it."""

import json
from typing import Any

import pytest
from agents.testing import ModelStep, ScriptedModel, assistant_message, function_call

from contracts import notes

from .people import Heard, Person, Serve

DONE = [assistant_message("Done.")]


def call(name: str, call_id: str = "", **arguments: Any) -> list[Any]:
    return [function_call(name, arguments, call_id=call_id or name)]


def results(heard: Heard) -> dict[str, Any]:
    return {done["call_id"]: done["result"] for done in heard.of("tool_done")}


def while_it_thinks(person: Person, note: notes.Note, answer: Any, **fields: Any) -> ModelStep:
    """The person changes the note between what the model has seen and what it answers; `answer` may look at that."""

    async def respond(asked: Any) -> list[Any]:
        if fields:
            await person.ask(notes.UPDATE, id=note.id, **fields)
        return answer(asked) if callable(answer) else answer

    return ModelStep.respond(respond)


def last_output(asked: Any) -> dict[str, Any]:
    return json.loads(asked.input[-1]["output"])


async def test_a_rewrite_of_a_note_that_changed_keeps_both_changes(serve: Serve, person: Person) -> None:
    """The model is told what is there now, puts its change into it, and is right at the second attempt."""
    note = await person.note("Shopping", "milk")

    def again(asked: Any) -> list[Any]:
        current = last_output(asked)["error"]["current"]
        return call("update_note", "second", note_id=note.id, body=f"{current['body']}\nbread")

    steps = [
        call("read_note", note_id=note.id),
        while_it_thinks(person, note, call("update_note", note_id=note.id, body="milk\nbread"), body="milk\neggs"),
        while_it_thinks(person, note, again),
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, heard = await person.talk("Add bread")
        found = await person.ask(notes.GET, id=note.id)
    refused = results(heard)["update_note"]["error"]
    assert (refused["code"], refused["current"]["version"], refused["current"]["title"]) == (
        *("version_conflict", 2, "Shopping"),
    )
    assert (found.body, found.version, found.updated_by.kind) == ("milk\neggs\nbread", 3, "agent")


async def test_a_note_too_long_to_be_told_must_be_read_again(serve: Serve, person: Person) -> None:
    note = await person.note("Long", "a" * 40_000)
    rewrite = call("update_note", "rewrite", note_id=note.id, body="short")
    steps = [
        call("read_note", note_id=note.id),
        while_it_thinks(person, note, rewrite, body="b" * 40_000),
        call("update_note", "blind", note_id=note.id, body="short"),
        call("read_note", "again", note_id=note.id),
        call("update_note", "seen", note_id=note.id, body="short"),
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, heard = await person.talk("Shorten it")
        found = await person.ask(notes.GET, id=note.id)
    for refused in ("rewrite", "blind"):
        assert "Read it again" in results(heard)[refused]["error"]["hint"]
        assert "current" not in results(heard)[refused]["error"]
    assert (found.body, found.version) == ("short", 3)


@pytest.mark.parametrize(
    ("theirs", "mine", "both"),
    [
        ({"body": "milk\neggs"}, {"title": "Groceries", "tags": ["food"]}, ("Groceries", "milk\neggs", ["food"])),
        ({"pinned": True}, {"body": "bread"}, ("Shopping", "bread", [])),
        ({"tags": ["home"]}, {"body": "bread", "title": "Groceries"}, ("Groceries", "bread", ["home"])),
    ],
)
async def test_changes_of_different_things_do_not_meet(
    serve: Serve, person: Person, theirs: dict[str, Any], mine: dict[str, Any], both: tuple[Any, ...]
) -> None:
    note = await person.note("Shopping", "milk")
    steps = [
        call("read_note", note_id=note.id),
        while_it_thinks(person, note, call("update_note", note_id=note.id, **mine), **theirs),
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, heard = await person.talk("Change it")
        found = await person.ask(notes.GET, id=note.id)
    assert "error" not in results(heard)["update_note"]
    assert (found.title, found.body, found.tags, found.version) == (*both, 3)


@pytest.mark.parametrize("field", [{"title": "Mine"}, {"tags": ["mine"]}])
async def test_changes_of_the_same_thing_are_told(serve: Serve, person: Person, field: dict[str, Any]) -> None:
    note = await person.note("Shopping", "milk")
    theirs = {"title": "Theirs"} if "title" in field else {"tags": ["theirs"]}
    steps = [
        call("read_note", note_id=note.id),
        while_it_thinks(person, note, call("update_note", note_id=note.id, **field), **theirs),
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, heard = await person.talk("Change it")
        found = await person.ask(notes.GET, id=note.id)
    assert results(heard)["update_note"]["error"]["code"] == "version_conflict"
    assert (found.version, found.title, found.tags) == (2, theirs.get("title", "Shopping"), theirs.get("tags", []))


async def test_a_note_that_changed_is_not_deleted_unseen(serve: Serve, person: Person) -> None:
    note = await person.note("Draft", "nothing yet")
    steps = [
        call("search_notes", query="draft"),
        while_it_thinks(person, note, call("delete_note", note_id=note.id), body="my best thoughts"),
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, heard = await person.talk("Delete the draft", approval="never")
        found = await person.ask(notes.GET, id=note.id)
    refused = results(heard)["delete_note"]["error"]
    assert (refused["code"], refused["current"]["body"]) == ("version_conflict", "my best thoughts")
    assert found.deleted_at is None


async def test_what_an_edit_met_is_not_rewritten_unseen(serve: Serve, person: Person) -> None:
    """An edit is made on whatever is there; the model has not read that by it, and may not write over it."""
    note = await person.note("Shopping", "milk")
    rewrite = call("update_note", "rewrite", note_id=note.id, body="milk\nbutter\nbread")
    steps = [
        call("read_note", note_id=note.id),
        while_it_thinks(person, note, call("edit_note", note_id=note.id, append="butter"), body="milk\neggs"),
        rewrite,
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, heard = await person.talk("Add butter and bread")
        found = await person.ask(notes.GET, id=note.id)
    assert results(heard)["edit_note"]["unseen_text"] is True
    assert results(heard)["rewrite"]["error"]["code"] == "version_conflict"
    assert found.body == "milk\neggs\nbutter"


async def test_what_was_seen_counts_in_the_next_answer(serve: Serve, person: Person) -> None:
    note = await person.note("Shopping", "milk")
    steps = [call("read_note", note_id=note.id), DONE]
    steps += [call("update_note", note_id=note.id, body="bread"), DONE]
    async with serve(ScriptedModel(steps)):
        started, _ = await person.talk("Read it")
        await person.ask(notes.UPDATE, id=note.id, body="milk\neggs")
        _, heard = await person.talk("Make it bread", conversation_id=started.conversation_id)
    assert results(heard)["update_note"]["error"]["current"]["body"] == "milk\neggs"


async def test_calls_made_together_are_not_somebody_else(serve: Serve, person: Person) -> None:
    note = await person.note("Shopping", "milk")
    together = [
        *call("edit_note", "one", note_id=note.id, append="eggs"),
        *call("update_note", "two", note_id=note.id, title="Groceries"),
        *call("edit_note", "three", note_id=note.id, find="milk", replace="oat milk"),
        *call("update_note", "four", note_id=note.id, pinned=True),
    ]
    async with serve(ScriptedModel([call("read_note", note_id=note.id), together, DONE])):
        _, heard = await person.talk("Change it all")
        found = await person.ask(notes.GET, id=note.id)
    assert not [name for name, result in results(heard).items() if "error" in result or "unseen_text" in result]
    assert (found.title, found.body, found.pinned, found.version) == ("Groceries", "oat milk\neggs", True, 5)


async def test_the_model_may_name_the_version_itself(serve: Serve, person: Person) -> None:
    note = await person.note("Shopping", "milk")
    await person.ask(notes.UPDATE, id=note.id, body="eggs")
    steps = [
        call("edit_note", "stale", note_id=note.id, append="x", expected_version=1),
        call("edit_note", "right", note_id=note.id, append="bread", expected_version=2),
        call("update_note", "stale2", note_id=note.id, body="x", expected_version=1),
        call("update_note", "made up", note_id=note.id, body="x", expected_version=77),
        call("update_note", "right2", note_id=note.id, body="all new", expected_version=3),
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, heard = await person.talk("Change it")
        found = await person.ask(notes.GET, id=note.id)
    codes = {name: result.get("error", {}).get("code") for name, result in results(heard).items()}
    conflict = "version_conflict"
    assert codes == {"stale": conflict, "right": None, "stale2": conflict, "made up": conflict, "right2": None}
    assert (found.body, found.version) == ("all new", 4)


async def test_pages_of_a_list_follow_on(serve: Serve, person: Person) -> None:
    for number in range(5):
        await person.note(f"{number}")

    def next_page(asked: Any) -> list[Any]:
        return call("list_notes", "second", limit=3, cursor=last_output(asked)["next_cursor"])

    async with serve(ScriptedModel([call("list_notes", limit=3), ModelStep.respond(next_page), DONE])):
        _, heard = await person.talk("Which are there?")
    pages = results(heard)
    assert [note["title"] for name in ("list_notes", "second") for note in pages[name]["notes"]] == list("43210")
    assert "next_cursor" not in pages["second"]


async def test_the_demo_model_tries_again(serve: Serve, person: Person) -> None:
    async with serve(inkstream_demo_token_delay_ms=0):
        started, _ = await person.talk("Create a note titled Shopping with milk")
        (note,) = (await person.ask(notes.LIST)).notes
        await person.ask(notes.UPDATE, id=note.id, title="Things to buy")
        _, heard = await person.talk("Rename it to Groceries", conversation_id=started.conversation_id)
        found = await person.ask(notes.GET, id=note.id)
    assert [done["status"] for done in heard.of("tool_done")] == ["error", "ok"]
    assert found.title == "Groceries"


def codes(heard: Heard) -> dict[str, str | None]:
    return {name: result.get("error", {}).get("code") for name, result in results(heard).items()}


@pytest.mark.parametrize("look", ["search_notes", "list_notes", None])
async def test_a_text_that_was_not_read_is_not_written_over(serve: Serve, person: Person, look: str | None) -> None:
    """A list shows its beginning at most, and a version that the model names proves nothing."""
    note = await person.note("Diary", "all I ever thought")
    looks = {"search_notes": {"query": "diary"}, "list_notes": {}}
    steps = [
        *([call(look, **looks[look])] if look else []),
        call("update_note", "blind", note_id=note.id, body="new"),
        call("update_note", "named", note_id=note.id, body="new", expected_version=1),
        call("update_note", "title", note_id=note.id, title="My diary"),
        call("update_note", "after", note_id=note.id, body="new"),
        call("read_note", note_id=note.id),
        call("update_note", "read", note_id=note.id, body="all I ever thought, and more"),
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, heard = await person.talk("Write it anew")
        found = await person.ask(notes.GET, id=note.id)
    refused = ("blind", "named", "after")
    assert {name: code for name, code in codes(heard).items() if code} == dict.fromkeys(refused, "not_read")
    assert "read_note" in results(heard)["blind"]["error"]["hint"]
    assert (found.title, found.body, found.version) == ("My diary", "all I ever thought, and more", 3)


async def test_a_note_that_was_never_seen_is_not_changed(serve: Serve, person: Person) -> None:
    """Neither deleted nor renamed by an id alone; an edit proves by what it finds that the model knows the place."""
    note = await person.note("Old", "milk and eggs")
    for number in range(10):
        await person.note(f"{number}")  # what the prompt names
    steps = [
        call("delete_note", "blind", note_id=note.id),
        call("update_note", "blind too", note_id=note.id, tags=["x"]),
        call("edit_note", note_id=note.id, find="eggs", replace="bread"),
        call("delete_note", "still blind", note_id=note.id),
        call("search_notes", query="old"),
        call("delete_note", "seen", note_id=note.id),
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, heard = await person.talk("Delete it", approval="never")
        found = await person.ask(notes.GET, id=note.id)
    refused = ("blind", "blind too", "still blind")
    assert {name: code for name, code in codes(heard).items() if code} == dict.fromkeys(refused, "not_read")
    assert (found.body, found.tags, found.version) == ("milk and bread", [], 3)
    assert found.deleted_at is not None


async def test_a_note_that_the_prompt_names_is_seen(serve: Serve, person: Person) -> None:
    """The one that is open, however old, and the newest: their titles, but not their texts."""
    old = await person.note("Old")
    for number in range(10):
        await person.note(f"{number}")
    steps = [
        call("update_note", "text", note_id=old.id, body="new"),
        call("update_note", "title", note_id=old.id, title="Older"),
        call("delete_note", note_id=old.id),
        DONE,
    ]
    async with serve(model := ScriptedModel(steps)):
        _, heard = await person.talk("Rename this note, then delete it", approval="never", note_id=old.id)
    assert codes(heard) == {"text": "not_read", "title": None, "delete_note": None}
    assert model.first_call is not None
    assert '"Old"' in str(model.first_call.system_instructions)


async def test_what_is_read_in_the_same_answer_was_not_known_to_it(serve: Serve, person: Person) -> None:
    """Nor what a conflict told: the second rewrite was written before the model could know."""
    note = await person.note("Shopping", "milk")
    together = [
        *call("read_note", "read", note_id=note.id),
        *call("update_note", "blind", note_id=note.id, body="bread"),
    ]
    twice = [
        *call("update_note", "stale", note_id=note.id, body="milk\nbread"),
        *call("update_note", "stale too", note_id=note.id, body="milk\nbread\nbutter"),
    ]
    steps = [together, while_it_thinks(person, note, twice, body="milk\neggs"), DONE]
    async with serve(ScriptedModel(steps)):
        _, heard = await person.talk("Add bread")
        found = await person.ask(notes.GET, id=note.id)
    conflict = "version_conflict"
    assert codes(heard) == {"read": None, "blind": "not_read", "stale": conflict, "stale too": conflict}
    assert (found.body, found.version) == ("milk\neggs", 2)


async def test_the_demo_model_reads_first(serve: Serve, person: Person) -> None:
    note = await person.note("Diary", "all I ever thought")
    for number in range(10):
        await person.note(f"{number}")
    async with serve(inkstream_demo_token_delay_ms=0):
        _, heard = await person.talk("Rename this note to Journal", note_id=note.id)
        _, rewritten = await person.talk("Change the text of Journal to: nothing")
        found = await person.ask(notes.GET, id=note.id)
    done = [(done["name"], done["status"]) for heard in (heard, rewritten) for done in heard.of("tool_done")]
    assert done == [(name, "ok") for name in ("read_note", "update_note", "search_notes", "read_note", "update_note")]
    assert (found.title, found.body) == ("Journal", "nothing")
