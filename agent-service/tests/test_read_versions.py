"""The assistant overwrites no text that it has not read, and changes no note that it has not seen."""

import pytest
from agents.testing import ScriptedModel

from contracts import notes

from .people import Person, ReceivedEvents, Serve
from .scripted import DONE, call, results, while_it_thinks


def codes(received: ReceivedEvents) -> dict[str, str | None]:
    return {name: result.get("error", {}).get("code") for name, result in results(received).items()}


@pytest.mark.parametrize("look", ["search_notes", "list_notes", None])
async def test_a_text_that_was_not_read_is_not_written_over(serve: Serve, person: Person, look: str | None) -> None:
    """A list shows only the beginning, and a version number given by the model is no evidence of reading."""
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
        _, received = await person.talk("Write it anew")
        found = await person.ask(notes.GET, id=note.id)
    refused = ("blind", "named", "after")
    assert {name: code for name, code in codes(received).items() if code} == dict.fromkeys(refused, "not_read")
    assert "read_note" in results(received)["blind"]["error"]["hint"]
    assert (found.title, found.body, found.version) == ("My diary", "all I ever thought, and more", 3)


async def test_a_note_that_was_never_seen_is_not_changed(serve: Serve, person: Person) -> None:
    """An id alone allows no deletion or renaming; an edit must quote the text that it replaces."""
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
        _, received = await person.talk("Delete it", approval="never")
        found = await person.ask(notes.GET, id=note.id)
    refused = ("blind", "blind too", "still blind")
    assert {name: code for name, code in codes(received).items() if code} == dict.fromkeys(refused, "not_read")
    assert (found.body, found.tags, found.version) == ("milk and bread", [], 3)
    assert found.deleted_at is not None


async def test_a_note_that_the_prompt_names_is_seen(serve: Serve, person: Person) -> None:
    """The open note, whatever its age, and the newest ones: their titles, but not their texts."""
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
        _, received = await person.talk("Rename this note, then delete it", approval="never", note_id=old.id)
    assert codes(received) == {"text": "not_read", "title": None, "delete_note": None}
    assert model.first_call is not None
    assert '"Old"' in str(model.first_call.system_instructions)


async def test_what_is_read_in_the_same_answer_was_not_known_to_it(serve: Serve, person: Person) -> None:
    """A conflict's answer does not count as reading for a rewrite that was made before it."""
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
        _, received = await person.talk("Add bread")
        found = await person.ask(notes.GET, id=note.id)
    conflict = "version_conflict"
    assert codes(received) == {"read": None, "blind": "not_read", "stale": conflict, "stale too": conflict}
    assert (found.body, found.version) == ("milk\neggs", 2)


async def test_the_demo_model_reads_first(serve: Serve, person: Person) -> None:
    note = await person.note("Diary", "all I ever thought")
    for number in range(10):
        await person.note(f"{number}")
    async with serve(demo_token_delay_ms=0):
        _, received = await person.talk("Rename this note to Journal", note_id=note.id)
        _, rewritten = await person.talk("Change the text of Journal to: nothing")
        found = await person.ask(notes.GET, id=note.id)
    done = [(done["name"], done["status"]) for received in (received, rewritten) for done in received.of("tool_done")]
    assert done == [(name, "ok") for name in ("read_note", "update_note", "search_notes", "read_note", "update_note")]
    assert (found.title, found.body) == ("Journal", "nothing")
