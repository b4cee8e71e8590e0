"""Branches of a conversation over HTTP."""

import pytest

from contracts import chat
from contracts.ids import new_id


async def conversation(person) -> str:
    return (await person.http.post("/api/conversations", json={})).json()["id"]


async def test_editing_and_answering_again_reach_the_agent(ada, agent) -> None:
    await ada.http.patch("/api/settings", json={"approval": "never", "instructions": "Be brief."})
    talk, message = await conversation(ada), new_id()
    path = f"/api/conversations/{talk}/messages/{message}"
    edited = await ada.http.post(f"{path}/edit", json={"message": " Else ", "client_request_id": "r1"})
    again = await ada.http.post(f"{path}/regenerate")
    with_body = await ada.http.post(f"{path}/regenerate", json={"client_request_id": "r2"})
    assert [answer.status_code for answer in (edited, again, with_body)] == [202, 202, 202]
    edit, regenerate, named = agent.branched[-3:]
    assert edited.json() == {"run_id": edit.run_id, "conversation_id": talk, "undone": []}
    assert isinstance(edit, chat.EditMessage)
    assert (edit.message, edit.client_request_id, edit.message_id) == ("Else", "r1", message)
    assert (edit.approval, edit.instructions, edit.username) == ("never", "Be brief.", ada.name)
    assert (regenerate.message_id, regenerate.client_request_id) == (message, None)
    assert named.client_request_id == "r2"


async def test_the_present_branch_is_chosen(ada, agent) -> None:
    talk, message = await conversation(ada), new_id()
    answer = await ada.http.patch(f"/api/conversations/{talk}", json={"current_message_id": message})
    assert answer.status_code == 200
    assert (await ada.http.get(f"/api/conversations/{talk}")).json()["current_message_id"] == message


@pytest.mark.parametrize("what", ["edit", "regenerate"])
async def test_nobody_branches_anothers_conversation(ada, bob, nobody, what: str) -> None:
    path = f"/api/conversations/{await conversation(ada)}/messages/{new_id()}/{what}"
    assert (await bob.http.post(path, json={"message": "x"})).status_code == 404
    assert (await nobody.post(path, json={"message": "x"})).status_code == 401


@pytest.mark.parametrize("body", [{}, {"message": "  "}, {"message": "x" * 32_001}, {"message": "a\0b"}])
async def test_an_edit_needs_a_message(ada, body) -> None:
    answer = await ada.http.post(f"/api/conversations/{new_id()}/messages/{new_id()}/edit", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
