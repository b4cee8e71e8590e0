"""Branches of a conversation over HTTP."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

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


@pytest.fixture
async def long_talk(ada, agent) -> AsyncGenerator[str]:
    """Ten messages, of which the agent gives four at once."""
    talk = await conversation(ada)
    _, stored = agent.conversations[talk]
    now = datetime.now(UTC)
    stored.messages = [
        chat.Message(id=new_id(), role=role, text=str(number), status="complete", created_at=now)
        for number, role in enumerate(["user", "assistant"] * 5)
    ]
    stored.summary = chat.Summary(message_id=stored.messages[3].id, text="Before.", model="m", created_at=now)
    agent.page_messages = 4
    yield talk
    agent.page_messages = chat.MESSAGES_PAGE_MAX


async def test_a_conversation_is_whole_unless_a_limit_is_named(ada, agent, long_talk: str) -> None:
    path = f"/api/conversations/{long_talk}"
    whole = (await ada.http.get(path)).json()
    assert [message["text"] for message in whole["messages"]] == [str(number) for number in range(10)]
    assert whole["has_earlier"] is False
    newest = (await ada.http.get(path, params={"limit": 2})).json()
    assert ([message["text"] for message in newest["messages"]], newest["has_earlier"]) == (["8", "9"], True)
    before = newest["messages"][0]["id"]
    earlier = (await ada.http.get(path, params={"limit": 2, "before": before})).json()
    assert ([message["text"] for message in earlier["messages"]], earlier["has_earlier"]) == (["6", "7"], True)
    rest = (await ada.http.get(path, params={"before": before})).json()
    assert ([message["text"] for message in rest["messages"]], rest["has_earlier"]) == (list("01234567"), False)


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 501}, {"limit": "x"}, {"before": "x"}])
async def test_bounds_of_a_part(ada, long_talk: str, params) -> None:
    answer = await ada.http.get(f"/api/conversations/{long_talk}", params=params)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


async def test_a_conversation_without_end_is_not_joined_in_one_answer(ada, agent, long_talk: str) -> None:
    _, stored = agent.conversations[long_talk]
    stored.messages = [message.model_copy(update={"id": new_id()}) for message in stored.messages * 4]
    agent.page_messages = 1
    answer = (await ada.http.get(f"/api/conversations/{long_talk}")).json()
    assert (len(answer["messages"]), answer["has_earlier"]) == (16, True)


async def test_a_summary_is_edited(ada, bob, nobody, agent, long_talk: str) -> None:
    summary = (await ada.http.get(f"/api/conversations/{long_talk}")).json()["summary"]
    path = f"/api/conversations/{long_talk}/summaries/{summary['message_id']}"
    assert (await bob.http.put(path, json={"text": "x"})).status_code == 404
    assert (await nobody.put(path, json={"text": "x"})).status_code == 401
    for text in ("", "  ", "x" * 16_001, "a\0b", None):
        assert (await ada.http.put(path, json={"text": text})).status_code == 422
    edited = await ada.http.put(path, json={"text": " After. "})
    assert (edited.status_code, edited.json()["text"]) == (200, "After.")
    assert (await ada.http.put(f"{path[:-1]}{'0' if path[-1] != '0' else '1'}", json={"text": "x"})).status_code == 404
