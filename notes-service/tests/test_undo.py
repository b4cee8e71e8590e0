"""Undoing the changes of a run, and nothing else."""

import asyncio

import pytest

from contracts import note_history, notes
from contracts.ids import new_id


@pytest.fixture
def run() -> str:
    return new_id()


async def undo(person, run: str) -> note_history.UndoneRun:
    return await person.request(note_history.UNDO_RUN, run_id=run)


def ops(result: note_history.UndoneRun) -> dict[str, str]:
    return {undone.note.title: undone.op for undone in result.undone}


async def test_all_of_a_run_is_taken_back_at_once(ada, run):
    changed = await ada.create("Changed", body="before", tags=["x"])
    deleted = await ada.create("Deleted", body="before")
    other = await ada.create("Other", body="untouched")
    assistant = ada.assistant(run)
    made = await assistant.create("Made", body="new")
    await assistant.update(made, body="newer")
    await assistant.update(changed, title="Renamed", body="after")
    await assistant.update(changed, tags=["y"], pinned=True, archived=True)
    await assistant.update(deleted, body="after")
    await assistant.request(notes.DELETE, id=deleted.id)
    before = (await ada.request(notes.CHANGES)).cursor
    async with ada.tab() as tab:
        result = await undo(ada, run)
        received = [await tab.receive_after(before + number) for number in range(3)]
    assert ops(result) == {"Made": "delete", "Changed": "update", "Deleted": "restore"}
    assert result.conflicts == []
    assert {(change.id, change.op) for change in received} == {
        *((made.id, "delete"), (changed.id, "update"), (deleted.id, "restore")),
    }
    for change in received:
        assert (change.actor.kind, change.actor.run_id, change.actor.call_id) == ("user", run, None)
    for note in (changed, deleted):
        now = await ada.get(note.id)
        assert now.model_copy(update=dict.fromkeys(("version", "updated_at", "updated_by"))) == note.model_copy(
            update=dict.fromkeys(("version", "updated_at", "updated_by"))
        )
    assert (await ada.get(made.id)).deleted_at is not None
    assert await ada.get(other.id) == other
    assert await ada.found("before") == ["Deleted", "Changed"]
    assert await ada.found("after") == []
    newest = (await ada.history(changed.id))[0]
    assert (newest.op, newest.actor.kind, newest.actor.run_id) == ("update", "user", run)


async def test_twice_is_once(ada, run):
    note = await ada.create("Note", body="before")
    await ada.assistant(run).update(note, body="after")
    first = await undo(ada, run)
    cursor = (await ada.request(notes.CHANGES)).cursor
    assert await undo(ada, run) == first
    assert (await ada.request(notes.CHANGES)).cursor == cursor
    await ada.update(note, body="since then")
    assert await undo(ada, run) == note_history.UndoneRun(undone=[], conflicts=[])
    assert (await ada.get(note.id)).body == "since then"


async def test_at_the_same_time_is_once(ada, run):
    note = await ada.create("Note", body="before")
    await ada.assistant(run).update(note, body="after")
    results = await asyncio.gather(*(undo(ada, run) for _ in range(5)))
    assert all(result == results[0] for result in results)
    assert (await ada.get(note.id)).version == 3


async def test_what_someone_changed_since_is_left_alone_and_reported(ada, run):
    """Also if they changed it between two changes of the run."""
    after, between, mine, binned = [
        await ada.create(title, body="before") for title in ("After", "Between", "Mine", "Binned")
    ]
    assistant = ada.assistant(run)
    for note in (after, between, mine, binned):
        await assistant.update(note, body="by the assistant")
    await ada.update(after, body="by me")
    await ada.update(between, body="by me")
    await assistant.update(between, body="by the assistant again")
    await ada.request(notes.DELETE, id=binned.id)
    made = await assistant.create("Made")
    await ada.assistant(new_id()).update(made, body="by another run")
    result = await undo(ada, run)
    assert ops(result) == {"Mine": "update"}
    assert {conflict.note.title for conflict in result.conflicts} == {"After", "Between", "Made", "Binned"}
    assert all("been changed since" in conflict.reason for conflict in result.conflicts)
    assert (await ada.get(after.id)).body == "by me"
    assert (await ada.get(between.id)).body == "by the assistant again"
    assert (await ada.get(made.id)).deleted_at is None


async def test_what_someone_changed_beside_it_stays(ada, run):
    pinned, tagged, between, deleted = [
        await ada.create(title, body="before") for title in ("Pinned", "Tagged", "Between", "Deleted")
    ]
    assistant = ada.assistant(run)
    for note in (pinned, tagged, between):
        await assistant.update(note, body="by the assistant")
    made = await assistant.create("Made", body="new")
    await assistant.request(notes.DELETE, id=deleted.id)
    await ada.update(pinned, pinned=True)
    await ada.update(tagged, tags=["mine"], archived=True)
    await ada.update(between, title="Between us")
    await ada.update(made, pinned=True, tags=["mine"])
    await ada.request(notes.RESTORE, id=deleted.id)
    await assistant.update(between, body="by the assistant again")
    result = await undo(ada, run)
    assert ops(result) == {"Pinned": "update", "Tagged": "update", "Between us": "update", "Made": "delete"}
    assert result.conflicts == []
    now = {note.title: await ada.get(note.id) for note in (pinned, tagged, made, deleted)}
    assert (now["Pinned"].body, now["Pinned"].pinned) == ("before", True)
    assert (now["Tagged"].body, now["Tagged"].tags, now["Tagged"].archived) == ("before", ["mine"], True)
    assert (now["Made"].pinned, now["Made"].tags) == (True, ["mine"])
    assert now["Deleted"].deleted_at is None
    assert (await ada.get(between.id)).body == "before"
    assert await undo(ada, run) == result


async def test_runs_that_built_on_each_other_are_taken_back_newest_first(ada, run):
    later = new_id()
    note = await ada.create("Note", body="milk")
    await ada.assistant(run).update(note, body="oat milk")
    await ada.assistant(later).update(note, body="oat milk\neggs")
    made = await ada.assistant(run).create("Made", body="new")
    await ada.assistant(later).update(made, body="newer")
    result = await ada.request(note_history.UNDO_RUNS, run_ids=[later, run, new_id()])
    assert result.conflicts == []
    assert result.runs == [later, run]
    assert (await ada.get(note.id)).body == "milk"
    assert (await ada.get(made.id)).deleted_at is not None
    assert (await ada.history(note.id))[0].actor.run_id == run
    cursor = (await ada.request(notes.CHANGES)).cursor
    assert (await ada.request(note_history.UNDO_RUNS, run_ids=[later, run])).runs == [later, run]
    assert (await ada.request(notes.CHANGES)).cursor == cursor


async def test_several_runs_are_taken_back_together_or_not_at_all(ada, run):
    later = new_id()
    mine, note = await ada.create("Mine", body="before"), await ada.create("Note", body="milk")
    await ada.assistant(run).update(note, body="oat milk")
    await ada.assistant(later).update(mine, body="by the assistant")
    await ada.update(mine, body="by me")
    cursor = (await ada.request(notes.CHANGES)).cursor
    result = await ada.request(note_history.UNDO_RUNS, run_ids=[later, run])
    assert ([conflict.note.title for conflict in result.conflicts], result.undone, result.runs) == (["Mine"], [], [])
    assert (await ada.request(notes.CHANGES)).cursor == cursor
    result = await ada.request(note_history.UNDO_RUNS, run_ids=[later, run], partly=True)
    assert (ops(result), result.runs) == ({"Note": "update"}, [run])
    assert (await ada.get(mine.id)).body == "by me"


async def test_what_the_run_itself_took_back_needs_nothing(ada, run):
    assistant = ada.assistant(run)
    made = await assistant.create("Made")
    await assistant.request(notes.DELETE, id=made.id)
    note = await ada.create("Note", body="before")
    await assistant.update(note, body="after")
    await assistant.update(note, body="before")
    assert await undo(ada, run) == note_history.UndoneRun(undone=[], conflicts=[])


async def test_a_note_that_the_run_restored_goes_back_into_the_trash(ada, run):
    note = await ada.create("Note", body="before")
    await ada.request(notes.DELETE, id=note.id)
    assistant = ada.assistant(run)
    await assistant.request(notes.RESTORE, id=note.id)
    await assistant.update(note, body="after")
    assert ops(await undo(ada, run)) == {"Note": "delete"}
    assert (await ada.request(notes.RESTORE, id=note.id)).body == "before"


async def test_a_note_whose_previous_version_was_pruned_is_left_alone(ada, run, db):
    note = await ada.create("Note", body="before")
    await ada.assistant(run).update(note, body="after")
    await db.execute("DELETE FROM revisions WHERE note_id = $1 AND version = 1", note.id)
    result = await undo(ada, run)
    assert [conflict.note.id for conflict in result.conflicts] == [note.id]
    assert "no longer available" in result.conflicts[0].reason


async def test_a_note_that_is_gone_for_good_is_none_of_it(ada, run):
    made = await ada.assistant(run).create("Made")
    await ada.request(notes.PURGE, id=made.id)
    assert await undo(ada, run) == note_history.UndoneRun(undone=[], conflicts=[])


async def test_another_users_run_is_not_touched(ada, bob, run):
    note = await ada.create("Hers", body="before")
    await ada.assistant(run).update(note, body="after")
    assert await undo(bob, run) == note_history.UndoneRun(undone=[], conflicts=[])
    assert (await ada.get(note.id)).body == "after"


async def test_an_edit_after_the_undo_is_a_version_of_its_own(ada, run):
    note = await ada.create("Note", body="before")
    await ada.assistant(run).update(note, body="after")
    await undo(ada, run)
    await ada.update(note, body="mine")
    assert [revision.version for revision in await ada.history(note.id)] == [4, 3, 2, 1]


async def test_what_someone_else_changed_of_a_note_stays_and_the_rest_is_taken_back(ada, run):
    note = await ada.create("Note", body="before", tags=["a"])
    assistant = ada.assistant(run)
    await assistant.update(note, body="after")
    await ada.update(note, pinned=True)
    await assistant.update(note, body="after that")
    await ada.update(note, tags=["a", "mine"], archived=True)
    await ada.update(note, title="Renamed by me")
    first = await undo(ada, run)
    assert (ops(first), first.conflicts) == ({"Renamed by me": "update"}, [])
    now = await ada.get(note.id)
    assert (now.title, now.body, now.tags, now.pinned, now.archived) == (
        *("Renamed by me", "before", ["a", "mine"], True, True),
    )
    assert await undo(ada, run) == first
    assert (await ada.get(note.id)).version == now.version


async def test_a_note_that_the_run_made_goes_away_though_someone_pinned_and_tagged_it(ada, run):
    assistant = ada.assistant(run)
    pinned, retitled = await assistant.create("Pinned", body="new"), await assistant.create("Retitled")
    tagged = await assistant.create("Tagged", tags=["its"])
    await ada.update(pinned, pinned=True, tags=["mine"])
    await ada.update(retitled, title="Mine now")
    await ada.update(tagged, tags=["its", "mine"])
    result = await undo(ada, run)
    assert ops(result) == {"Pinned": "delete"}
    assert {conflict.note.title for conflict in result.conflicts} == {"Mine now", "Tagged"}


async def test_what_was_pruned_between_two_versions_of_the_run_may_be_anybodys(ada, run, db):
    note, pinned = await ada.create("Note", body="before"), await ada.create("Pinned", body="before")
    assistant = ada.assistant(run)
    for one in (note, pinned):
        await assistant.update(one, body="by the assistant")
    await ada.update(note, body="by me")
    await assistant.update(note, body="by the assistant again")
    await ada.update(pinned, pinned=True)
    await ada.update(pinned, archived=True)
    await db.execute("DELETE FROM revisions WHERE note_id = ANY ($1) AND version = 3", [note.id, pinned.id])
    result = await undo(ada, run)
    assert ops(result) == {"Pinned": "update"}
    assert [conflict.note.title for conflict in result.conflicts] == ["Note"]
    assert (await ada.get(note.id)).body == "by the assistant again"
