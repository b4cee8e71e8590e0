"""The assistant writes on the version it has read: concurrent changes of others stay, and the model is informed."""

import json
from typing import Any

import pytest
from agents.testing import ModelStep, ScriptedModel

from contracts import notes

from .people import Person, Serve
from .scripted import DONE, call, results, while_it_thinks


def last_output(request: Any) -> dict[str, Any]:
    return json.loads(request.input[-1]["output"])


async def test_a_rewrite_of_a_note_that_changed_keeps_both_changes(serve: Serve, person: Person) -> None:
    """The model receives the current note, applies its change to it, and succeeds at the second attempt."""
    note = await person.note("Shopping", "milk")

    def again(request: Any) -> list[Any]:
        current = last_output(request)["error"]["current"]
        return call("update_note", "second", note_id=note.id, body=f"{current['body']}\nbread")

    steps = [
        call("read_note", note_id=note.id),
        while_it_thinks(person, note, call("update_note", note_id=note.id, body="milk\nbread"), body="milk\neggs"),
        while_it_thinks(person, note, again),
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, received = await person.talk("Add bread")
        found = await person.ask(notes.GET, id=note.id)
    refused = results(received)["update_note"]["error"]
    assert (refused["code"], refused["current"]["version"], refused["current"]["title"]) == (
        *("version_conflict", 2, "Shopping"),
    )
    assert (found.body, found.version, found.updated_by.kind) == ("milk\neggs\nbread", 3, "agent")


async def test_a_note_too_long_for_the_message_must_be_read_again(serve: Serve, person: Person) -> None:
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
    async with serve(ScriptedModel(steps), context_window=200_000):
        _, received = await person.talk("Shorten it")
        found = await person.ask(notes.GET, id=note.id)
    for refused in ("rewrite", "blind"):
        assert "Read it again" in results(received)[refused]["error"]["hint"]
        assert "current" not in results(received)[refused]["error"]
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
        _, received = await person.talk("Change it")
        found = await person.ask(notes.GET, id=note.id)
    assert "error" not in results(received)["update_note"]
    assert (found.title, found.body, found.tags, found.version) == (*both, 3)


@pytest.mark.parametrize("field", [{"title": "Mine"}, {"tags": ["mine"]}])
async def test_changes_of_the_same_field_are_conflicts(serve: Serve, person: Person, field: dict[str, Any]) -> None:
    note = await person.note("Shopping", "milk")
    theirs = {"title": "Theirs"} if "title" in field else {"tags": ["theirs"]}
    steps = [
        call("read_note", note_id=note.id),
        while_it_thinks(person, note, call("update_note", note_id=note.id, **field), **theirs),
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, received = await person.talk("Change it")
        found = await person.ask(notes.GET, id=note.id)
    assert results(received)["update_note"]["error"]["code"] == "version_conflict"
    assert (found.version, found.title, found.tags) == (2, theirs.get("title", "Shopping"), theirs.get("tags", []))


async def test_a_note_that_changed_is_not_deleted_unseen(serve: Serve, person: Person) -> None:
    note = await person.note("Draft", "nothing yet")
    steps = [
        call("search_notes", query="draft"),
        while_it_thinks(person, note, call("delete_note", note_id=note.id), body="my best thoughts"),
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, received = await person.talk("Delete the draft", approval="never")
        found = await person.ask(notes.GET, id=note.id)
    refused = results(received)["delete_note"]["error"]
    assert (refused["code"], refused["current"]["body"]) == ("version_conflict", "my best thoughts")
    assert found.deleted_at is None


async def test_what_an_edit_met_is_not_rewritten_unseen(serve: Serve, person: Person) -> None:
    """An edit applies to the current text; it does not count as reading, so the model may not overwrite the note."""
    note = await person.note("Shopping", "milk")
    rewrite = call("update_note", "rewrite", note_id=note.id, body="milk\nbutter\nbread")
    steps = [
        call("read_note", note_id=note.id),
        while_it_thinks(person, note, call("edit_note", note_id=note.id, append="butter"), body="milk\neggs"),
        rewrite,
        DONE,
    ]
    async with serve(ScriptedModel(steps)):
        _, received = await person.talk("Add butter and bread")
        found = await person.ask(notes.GET, id=note.id)
    assert results(received)["edit_note"]["unseen_text"] is True
    assert results(received)["rewrite"]["error"]["code"] == "version_conflict"
    assert found.body == "milk\neggs\nbutter"


async def test_what_was_seen_counts_in_the_next_answer(serve: Serve, person: Person) -> None:
    note = await person.note("Shopping", "milk")
    steps = [call("read_note", note_id=note.id), DONE]
    steps += [call("update_note", note_id=note.id, body="bread"), DONE]
    async with serve(ScriptedModel(steps)):
        started, _ = await person.talk("Read it")
        await person.ask(notes.UPDATE, id=note.id, body="milk\neggs")
        _, received = await person.talk("Make it bread", conversation_id=started.conversation_id)
    assert results(received)["update_note"]["error"]["current"]["body"] == "milk\neggs"


async def test_calls_made_together_are_not_somebody_else(serve: Serve, person: Person) -> None:
    note = await person.note("Shopping", "milk")
    together = [
        *call("edit_note", "one", note_id=note.id, append="eggs"),
        *call("update_note", "two", note_id=note.id, title="Groceries"),
        *call("edit_note", "three", note_id=note.id, find="milk", replace="oat milk"),
        *call("update_note", "four", note_id=note.id, pinned=True),
    ]
    async with serve(ScriptedModel([call("read_note", note_id=note.id), together, DONE])):
        _, received = await person.talk("Change it all")
        found = await person.ask(notes.GET, id=note.id)
    assert not [name for name, result in results(received).items() if "error" in result or "unseen_text" in result]
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
        _, received = await person.talk("Change it")
        found = await person.ask(notes.GET, id=note.id)
    codes = {name: result.get("error", {}).get("code") for name, result in results(received).items()}
    conflict = "version_conflict"
    assert codes == {"stale": conflict, "right": None, "stale2": conflict, "made up": conflict, "right2": None}
    assert (found.body, found.version) == ("all new", 4)


async def test_pages_of_a_list_follow_on(serve: Serve, person: Person) -> None:
    for number in range(5):
        await person.note(f"{number}")

    def next_page(request: Any) -> list[Any]:
        return call("list_notes", "second", limit=3, cursor=last_output(request)["next_cursor"])

    async with serve(ScriptedModel([call("list_notes", limit=3), ModelStep.respond(next_page), DONE])):
        _, received = await person.talk("Which are there?")
    pages = results(received)
    assert [note["title"] for name in ("list_notes", "second") for note in pages[name]["notes"]] == list("43210")
    assert "next_cursor" not in pages["second"]


async def test_the_demo_model_tries_again(serve: Serve, person: Person) -> None:
    async with serve(demo_token_delay_ms=0):
        started, _ = await person.talk("Create a note titled Shopping with milk")
        (note,) = (await person.ask(notes.LIST)).notes
        await person.ask(notes.UPDATE, id=note.id, title="Things to buy")
        _, received = await person.talk("Rename it to Groceries", conversation_id=started.conversation_id)
        found = await person.ask(notes.GET, id=note.id)
    assert [done["status"] for done in received.of("tool_done")] == ["error", "ok"]
    assert found.title == "Groceries"
