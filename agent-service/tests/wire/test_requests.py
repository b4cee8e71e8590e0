"""Whatever is stored of a conversation, what goes out is a history that a strict server accepts."""

import json
import re
from typing import Any

import pytest
from agents import FunctionTool, ModelSettings
from hypothesis import given
from hypothesis import strategies as st
from openai.types.shared import Reasoning

from agent_service.models.wire.requests import ModelRequest, chat_completions_body, responses_body

US = "models.test/v1"
USER = {"role": "user", "content": "Hello"}


def body(api: str, items: list[Any], **fields: Any) -> dict[str, Any]:
    request = ModelRequest("m", US, "Be brief.", items, fields.pop("tools", []), ModelSettings(**fields))
    return chat_completions_body(request) if api == "chat" else responses_body(request)


def messages(*items: Any) -> list[Any]:
    return body("chat", list(items))["messages"][1:]


def called(
    ours: str = "ours", theirs: str | None = None, name: str = "create_note", arguments: str = "{}", **data: Any
) -> dict[str, Any]:
    """A stored call. `theirs`: the id that the server gave it."""
    item: dict[str, Any] = {"type": "function_call", "call_id": ours, "name": name, "arguments": arguments}
    return item | {"provider_data": {"provider": US} | ({"call_id": theirs} if theirs else {}) | data}


def output(call_id: str = "ours", text: str = "Done.") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def response_item(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def thought(**data: Any) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": "Hm."}]
    return {"type": "reasoning", "id": "__fake_id__", "summary": summary, "provider_data": {"provider": US} | data}


def test_text_after_a_call_stands_before_its_output() -> None:
    one, two = messages(USER, called(), response_item("I am at it."), output())[1:]
    assert one["content"] == "I am at it."
    assert [call["id"] for call in one["tool_calls"]] == ["ours"]
    assert two == {"role": "tool", "tool_call_id": "ours", "content": "Done."}


def test_text_after_an_output_is_the_next_answer() -> None:
    roles = [message["role"] for message in messages(USER, called(), output(), response_item("Done."))]
    assert roles == ["user", "assistant", "tool", "assistant"]


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_the_servers_own_id_goes_back_to_it_and_to_nobody_else(api: str) -> None:
    ours = json.dumps(body(api, [USER, called(theirs="theirs")]))
    foreign = called(theirs="theirs", provider="other.test/v1")
    assert '"theirs"' in ours
    assert '"theirs"' not in json.dumps(body(api, [USER, foreign, output()]))


def test_ids_that_a_server_repeats_are_told_apart() -> None:
    twice = [called("o1", "t"), called("o2", "t"), output("o1"), output("o2")]
    for api, again in (("chat", "t"), ("responses", "o4")):
        sent = body(api, [USER, *twice, USER, called("o4", "t"), output("o4")])
        text = json.dumps(sent)
        assert re.findall(r'"(?:tool_)?call_id": "(\w+)"', text)[-1] == again
        assert '"o2"' in text


def test_a_call_without_result_has_one_and_a_result_without_call_goes() -> None:
    _, assistant, tool, user = messages(USER, called(), USER, output("nobody"))
    assert assistant["tool_calls"][0]["id"] == tool["tool_call_id"]
    assert "not done" in tool["content"]
    assert user == USER


def test_arguments_that_are_no_object_go_back_as_one() -> None:
    for arguments in ('{"title": "Mi', "[]", "7", "", "null", "[" * 5000, '{"a":' * 100 + "1" + "}" * 100):
        for api in ("chat", "responses"):
            text = json.dumps(body(api, [USER, called(arguments=arguments), output()]))
            (sent,) = re.findall(r'"arguments": "((?:[^"\\]|\\.)*)"', text)
            assert json.loads(sent.replace('\\"', '"')) == {}


def test_a_name_that_providers_refuse() -> None:
    (call,) = messages(USER, called(name="delete everything!"), output())[1]["tool_calls"]
    assert call["function"]["name"] == "delete_everything_"


def test_what_a_server_wants_back_with_a_call() -> None:
    extra = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    (call,) = messages(USER, called(extra=extra), output())[1]["tool_calls"]
    assert call["extra_content"] == extra["extra_content"]
    (other,) = messages(USER, called(extra=extra, provider="other.test/v1"), output())[1]["tool_calls"]
    assert "extra_content" not in other


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ({"field": "reasoning_content"}, {"reasoning_content": "Hm."}),
        ({"field": "reasoning"}, {"reasoning": "Hm."}),
        (
            {"field": "reasoning", "details": [{"type": "reasoning.text"}]},
            {"reasoning_details": [{"type": "reasoning.text"}]},
        ),
        ({"field": "tags"}, {}),
        ({"field": "content"}, {}),
        ({"field": "reasoning_content", "provider": "other.test/v1"}, {}),
    ],
)
def test_reasoning_goes_back_with_its_call_in_the_servers_field(data: Any, sent: Any) -> None:
    assistant = messages(USER, thought(**data), called(), output(), USER)[1]
    assert {name: value for name, value in assistant.items() if name.startswith("reasoning")} == sent
    without_a_call = messages(USER, thought(**data), response_item("Good."))[1]
    assert set(without_a_call) == {"role", "content"}


def test_responses_gets_its_items_back_as_they_were() -> None:
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "e"}
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "I do."}],
    }
    call = called() | {"id": "fc_1"}
    items = body("responses", [USER, reasoning, message, reasoning | {"id": "rs_2"}, call, output()])["input"]
    assert [item.get("id") for item in items] == [None, "rs_1", "msg_1", "rs_2", "fc_1", None]
    assert items[1] == reasoning
    assert all("provider_data" not in item for item in items)
    of_chat = body("responses", [USER, thought(field="reasoning"), called(), output()])["input"]
    assert [item.get("type", "message") for item in of_chat] == ["message", "function_call", "function_call_output"]


async def not_called(*_: Any) -> None:
    raise AssertionError


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_nothing_is_sent_that_was_not_asked_for(api: str) -> None:
    tool = FunctionTool("list_notes", "Lists notes.", {"type": "object"}, not_called, strict_json_schema=False)
    plain, full = (
        body(api, [USER], tools=[tool]),
        body(api, [USER], reasoning=Reasoning(effort="low"), verbosity="low"),
    )
    common = {"model", "stream", "tools"}
    if api == "chat":
        assert set(plain) == common | {"messages", "stream_options"}
        assert plain["messages"][0] == {"role": "system", "content": "Be brief."}
        assert set(plain["tools"][0]["function"]) == {"name", "description", "parameters"}
        assert (full["reasoning_effort"], full["verbosity"]) == ("low", "low")
        assert plain["stream_options"] == {"include_usage": True}
        assert "tools" not in full
    else:
        assert set(plain) == common | {"input", "instructions"}
        assert plain["tools"][0]["strict"] is False
        assert (full["reasoning"], full["text"]) == ({"effort": "low"}, {"verbosity": "low"})


ids = st.sampled_from("abc")
stored = st.lists(
    st.one_of(
        st.just(USER),
        st.just(response_item("Text.")),
        st.just(thought(field="reasoning")),
        ids.map(called),
        ids.map(lambda call_id: called(call_id, "same")),
        ids.map(lambda call_id: called(call_id, arguments='{"cut')),
        ids.map(output),
    ),
    max_size=14,
)


@given(items=stored)
def test_every_call_has_its_output_right_behind_it(items: list[Any]) -> None:
    waiting: list[str] = []
    for message in messages(USER, *items):
        if message["role"] == "tool":
            assert message["tool_call_id"] == waiting.pop(0)
            continue
        assert not waiting
        assert message["content"] or message.get("tool_calls")
        waiting = [call["id"] for call in message.get("tool_calls", [])]
        assert len(set(waiting)) == len(waiting)
        assert all(
            isinstance(json.loads(call["function"]["arguments"]), dict) for call in message.get("tool_calls", [])
        )
    assert not waiting


@given(items=stored)
def test_every_call_of_responses_has_its_output(items: list[Any]) -> None:
    sent = body("responses", [USER, *items])["input"]
    made = [item["call_id"] for item in sent if item.get("type") == "function_call"]
    answered = [item["call_id"] for item in sent if item.get("type") == "function_call_output"]
    assert made == answered
    assert len(set(made)) == len(made)
    kinds = "".join(item.get("type", item.get("role"))[0] + item.get("type", "")[-1:] for item in sent)
    assert not re.search(r"fl(a|u)", kinds), "something stands between a call and its output"
