"""Versions, the trash and the undoing of runs over HTTP, answered by the real notes service."""

import pytest

from contracts import notes
from contracts.actor import Actor
from contracts.ids import new_id
from servicekit.rpc import call
from standalone.testing import connection

from .test_accounts import assert_problem
from .test_notes import create

pytestmark = pytest.mark.usefixtures("notes_service")


async def test_a_history_and_a_version_brought_back(ada) -> None:
    note = await create(ada, title="One", body="1", tags=["a"])
    url = f"/api/notes/{note['id']}"
    await ada.http.patch(url, json={"title": "Two", "body": "2"})
    shown = (await ada.http.get(f"{url}/revisions")).json()
    assert [(r["version"], r["title"], r["actor"]["kind"]) for r in shown["revisions"]] == [
        (2, "Two", "user"),
        (1, "One", "user"),
    ]
    assert shown["next_cursor"] is None
    page = (await ada.http.get(f"{url}/revisions", params={"limit": 1})).json()
    rest = (await ada.http.get(f"{url}/revisions", params={"cursor": page["next_cursor"]})).json()
    assert page["revisions"] + rest["revisions"] == shown["revisions"]
    first = (await ada.http.get(f"{url}/revisions/1")).json()
    assert (first["title"], first["body"], first["tags"]) == ("One", "1", ["a"])
    stale = await ada.http.post(f"{url}/revisions/1/restore", headers={"If-Match": '"1"'})
    assert assert_problem(stale, 412, "version_conflict")["current"]["version"] == 2
    back = await ada.http.post(f"{url}/revisions/1/restore", headers={"If-Match": '"2"'})
    assert (back.status_code, back.headers["etag"], back.json()["body"]) == (200, '"3"', "1")


async def test_a_senseless_version_is_refused(ada) -> None:
    url = f"/api/notes/{(await create(ada))['id']}/revisions"
    assert_problem(await ada.http.get(f"{url}?cursor=made-up"), 422, "validation_failed")
    for version, status, code in (("2", 404, "not_found"), ("0", 422, "validation_failed"), ("9" * 12, 422, None)):
        assert_problem(await ada.http.get(f"{url}/{version}"), status, code or "validation_failed")
        assert_problem(await ada.http.post(f"{url}/{version}/restore"), status, code or "validation_failed")


async def test_deleted_for_good(ada) -> None:
    url = f"/api/notes/{(await create(ada))['id']}"
    assert_problem(await ada.http.delete(f"{url}?permanent=true", headers={"If-Match": '"7"'}), 412, "version_conflict")
    assert (await ada.http.delete(url)).status_code == 204
    assert (await ada.http.get(url)).json()["deleted_at"]
    assert (await ada.http.delete(f"{url}?permanent=true")).status_code == 204
    for answer in (await ada.http.get(url), await ada.http.delete(f"{url}?permanent=true")):
        assert_problem(answer, 404, "not_found")


async def test_nothing_of_one_users_past_reaches_another(ada, bob) -> None:
    url = f"/api/notes/{(await create(ada))['id']}"
    for method, path in (
        ("GET", f"{url}/revisions"),
        ("GET", f"{url}/revisions/1"),
        ("POST", f"{url}/revisions/1/restore"),
        ("DELETE", f"{url}?permanent=true"),
    ):
        assert_problem(await bob.http.request(method, path), 404, "not_found")
    assert (await ada.http.get(url)).status_code == 200


@pytest.fixture
async def assistant(ada, agent, broker):
    """A run on Ada's behalf, and a note that it created."""
    run = agent.new_run(ada.id)
    actor = Actor(user_id=ada.id, kind="agent", run_id=run.id, call_id="c")
    async with connection(broker, "agent-service") as nc:
        note = await call(nc, notes.CREATE, notes.CreateNote(actor=actor, title="Made"))
    return run, note


async def test_a_run_is_undone(ada, assistant) -> None:
    run, note = assistant
    url = f"/api/runs/{run.id}/undo"
    assert assert_problem(await ada.http.post(url), 409, "run_active")["run_id"] == run.id
    run.status = "completed"
    undone = (await ada.http.post(url)).json()
    assert [(u["op"], u["note"]["id"]) for u in undone["undone"]] == [("delete", note.id)]
    assert undone["conflicts"] == []
    assert (await ada.http.post(url)).json() == undone
    assert run.undone
    assert (await ada.http.get("/api/notes?trashed=true")).json()["notes"][0]["id"] == note.id


async def test_what_was_changed_since_is_told(ada, assistant) -> None:
    run, note = assistant
    run.status = "failed"
    await ada.http.patch(f"/api/notes/{note.id}", json={"body": "mine"})
    answer = (await ada.http.post(f"/api/runs/{run.id}/undo")).json()
    assert answer["undone"] == []
    assert [conflict["note"]["id"] for conflict in answer["conflicts"]] == [note.id]
    assert not run.undone


async def test_another_users_run_is_not_undone(bob, assistant) -> None:
    run, _ = assistant
    run.status = "completed"
    assert_problem(await bob.http.post(f"/api/runs/{run.id}/undo"), 404, "not_found")
    assert_problem(await bob.http.post(f"/api/runs/{new_id()}/undo"), 404, "not_found")


@pytest.mark.parametrize(("what", "body"), [("regenerate", {}), ("edit", {"message": "Else"})])
async def test_another_version_takes_back_what_the_replaced_run_changed(ada, agent, assistant, what, body) -> None:
    run, note = assistant
    run.status = "completed"
    run.conversation_id = (await ada.http.post("/api/conversations", json={})).json()["id"]
    answer = await ada.http.post(f"/api/conversations/{run.conversation_id}/messages/{new_id()}/{what}", json=body)
    assert answer.status_code == 202
    assert [(undone["op"], undone["note"]["id"]) for undone in answer.json()["undone"]] == [("delete", note.id)]
    assert run.undone
    assert agent.branched[-1].run_id == answer.json()["run_id"]


async def test_no_version_begins_where_a_change_cannot_be_taken_back(ada, agent, assistant) -> None:
    run, note = assistant
    run.status = "completed"
    run.conversation_id = (await ada.http.post("/api/conversations", json={})).json()["id"]
    await ada.http.patch(f"/api/notes/{note.id}", json={"body": "mine"})
    url, begun = f"/api/conversations/{run.conversation_id}/messages/{new_id()}/regenerate", len(agent.branched)
    problem = assert_problem(await ada.http.post(url), 409, "changes_conflict")
    assert [(conflict["note"]["id"], conflict["reason"]) for conflict in problem["conflicts"]] == [
        (note.id, "This note has been changed since.")
    ]
    assert (len(agent.branched), run.undone) == (begun, False)
    answer = await ada.http.post(url, json={"keep_conflicts": True})
    assert (answer.status_code, answer.json()["undone"]) == (202, [])
    assert len(agent.branched) == begun + 1
    assert (await ada.http.get(f"/api/notes/{note.id}")).json()["body"] == "mine"
