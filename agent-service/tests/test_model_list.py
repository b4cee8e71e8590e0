"""Several models: the file that lists them, and who answers in which conversation, over real sockets."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agent_service.model_list import InvalidModelList, read_model_list
from agent_service.prices import Prices
from contracts import chat
from contracts.errors import ValidationFailed
from contracts.ids import new_id
from standalone.nats import Nats
from standalone.postgres import Postgres
from standalone.testing import SLOW_SECONDS
from tests.model_server import ModelServer, OpenAnswer, Replay, Status, Text

from .people import Person, Serve
from .test_process import process
from .test_real_models import FORMATS

ONE: dict[str, Any] = {"id": "one", "base_url": "http://127.0.0.1:9/v1"}
TOML = """
default = "large"
currency = "EUR"

[[models]]
id = "small"
base_url = "http://127.0.0.1:11434/v1"
name = "qwen3:8b"

[[models]]
id = "large"
label = "Large"
provider = "Example"
base_url = "https://models.example/v1"
key_env = "EXAMPLE_KEY"
format = "responses"
context_window = 200_000
images = true
reasoning = ["low", "high"]
price_in = 0.15
price_out = 0.60
"""


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(*models: dict[str, Any], **more: Any) -> Path:
        file = tmp_path / f"{new_id()}.json"
        file.write_text(json.dumps({"models": models} | more))
        return file

    return write


def test_a_list_in_toml(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text(TOML)
    found = read_model_list(file, {"EXAMPLE_KEY": "sk-secret"})
    small, large = found.models
    assert found.default_id == "large"
    assert small.described() == chat.AvailableModel(id="small", label="small", provider="127.0.0.1")
    assert large.described().model_dump() == {
        **{"id": "large", "label": "Large", "provider": "Example", "context_window": 200_000, "images": True},
        **{"reasoning": ["low", "high"], "price_in": "0.15", "price_out": "0.6"},
    }
    assert large.prices(found.currency) == Prices(Decimal("0.15"), Decimal("0.60"), "EUR")
    key = large.key({"EXAMPLE_KEY": "sk-secret"})
    assert key is not None
    assert key.get_secret_value() == "sk-secret"


@pytest.mark.parametrize(
    ("models", "more", "message"),
    [
        ([], {}, "models"),
        ([{"id": "one"}], {}, 'model "one" (number 1): base_url: Field required'),
        ([{"base_url": "http://a"}], {}, "model number 1: id: Field required"),
        ([ONE | {"id": ""}], {}, "number 1): id: "),
        ([ONE | {"base_url": "ftp://a"}], {}, 'model "one" (number 1): base_url: must be an address'),
        ([ONE | {"base_url": "http://h:gsk_secret@a/v1"}], {}, "base_url: must have no name and no password"),
        ([ONE | {"base_url": "http://gsk_secret@a/v1"}], {}, "base_url: must have no name and no password"),
        ([ONE | {"base_url": "http://a:gsk_secret/v1"}], {}, "base_url: must have a port"),
        ([ONE | {"base_url": "http://a:99999/v1"}], {}, "base_url: must have a port"),
        ([ONE | {"sk-gsk_secret": 1}], {}, 'model "one" (number 1): one of the names: is not a known field'),
        ([ONE | {"format": "soap"}], {}, 'model "one" (number 1): format: Input should be'),
        ([ONE | {"context_window": 0}], {}, 'model "one" (number 1): context_window: '),
        ([ONE | {"images": "perhaps"}], {}, 'model "one" (number 1): images: '),
        ([ONE | {"reasoning": [1]}], {}, 'model "one" (number 1): reasoning: 0: '),
        ([ONE | {"api_key": "gsk_secret"}], {}, 'model "one" (number 1): api_key: is not a known field'),
        ([ONE | {"key_env": "gsk_secret"}], {}, 'model "one" (number 1): key_env: the environment has no value'),
        ([ONE | {"key_env": "sk-gsk_secret"}], {}, 'model "one" (number 1): key_env: '),
        ([ONE, ONE], {}, "models: several have the id one"),
        (["one"], {}, "model number 1: "),
        ([ONE], {"default": "two"}, "default: must be the id of one of the models: one"),
        ([ONE], {"fallback": ["one"]}, "fallback: is not a known field"),
        ([ONE | {"fallback": ["two"]}], {}, 'model "one": fallback: must be ids of other models'),
        ([ONE | {"fallback": ["one"]}], {}, 'model "one": fallback: must be ids of other models'),
        ([ONE | {"fallback": ["two", "two"]}, ONE | {"id": "two"}], {}, 'model "one": fallback: '),
        ([ONE | {"price_in": 1}], {}, 'model "one" (number 1): price_in, price_out: must both be there'),
        ([ONE | {"price_in": -1, "price_out": 1}], {}, 'model "one" (number 1): price_in: '),
        ([ONE | {"price_in": float("nan"), "price_out": 1}], {}, 'model "one" (number 1): price_in: '),
        ([ONE | {"price_in": "free", "price_out": 1}], {}, 'model "one" (number 1): price_in: '),
        ([ONE], {"currency": "euro"}, "currency: "),
        ([ONE | {"omits": "strict"}], {}, 'model "one" (number 1): omits: '),
    ],
)
def test_an_error_names_entry_and_field_and_quotes_nothing(
    written: Any, models: list[Any], more: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidModelList) as raised:
        read_model_list(written(*models, **more), {})
    assert message in str(raised.value)
    assert "gsk_secret" not in str(raised.value)


@pytest.mark.parametrize("key", ["gsk_secret\r\nX-More: 1", "gsk_secret and more", "gsk_sécret"])
def test_a_value_that_is_no_key_is_refused(written: Any, key: str) -> None:
    with pytest.raises(InvalidModelList, match="value that is no key") as raised:
        read_model_list(written(ONE | {"key_env": "A_KEY"}), {"A_KEY": key})
    assert "gsk_" not in str(raised.value)


def test_blanks_around_a_key_and_a_byte_order_mark_are_no_part_of_them(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_bytes(b"\xef\xbb\xbf" + b'[[models]]\nid = "a"\nbase_url = "http://a/v1"\nkey_env = "A_KEY"\n')
    found = read_model_list(file, {"A_KEY": "gsk_secret\n"})
    assert found is not None
    key = found.models[0].key({"A_KEY": "gsk_secret\n"})
    assert key is not None
    assert key.get_secret_value() == "gsk_secret"


def test_an_empty_file_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "models").write_text(" \n")
    assert read_model_list(tmp_path / "models") is None
    assert read_model_list(Path("/dev/null")) is None


@pytest.mark.parametrize("content", [b"models = [", b"{", b"[1]", b"\xff\xfe", b"{" + b'"a":{' * 20_000])
def test_a_file_that_is_no_list(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "models").write_bytes(content)
    with pytest.raises(InvalidModelList, match="INKSTREAM_MODELS"):
        read_model_list(tmp_path / "models")
    with pytest.raises(InvalidModelList, match="No such file"):
        read_model_list(tmp_path / "none")


@pytest.mark.parametrize("format_", FORMATS)
async def test_the_chosen_model_answers_from_then_on(
    serve: Serve, person: Person, written: Any, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    monkeypatch.setenv("FIRST_KEY", "sk-first")
    monkeypatch.setenv("SECOND_KEY", "sk-second")
    api = "chat" if format_ == "chat_completions" else "responses"
    async with ModelServer() as first, ModelServer() as second:
        first.default, second.default = Text("The first."), Text("The second.")
        listed = written(
            {"id": "a", "base_url": first.base_url, "key_env": "FIRST_KEY", "format": api},
            {"id": "b", "base_url": second.base_url, "key_env": "SECOND_KEY", "format": api, "name": "b-2026"},
        )
        async with serve(models=listed):
            available = await person.ask(chat.MODELS)
            begun, by_default = await person.talk("Hello")
            _, by_choice = await person.talk("And you?", conversation_id=begun.conversation_id, model="b")
            again, still = await person.talk("Still you?", conversation_id=begun.conversation_id)
            _, elsewhere = await person.talk("Somebody else?")
            run = await person.ask(chat.RUN_GET, run_id=again.run_id)
            talk = await person.conversation(begun.conversation_id)
            await person.ask(chat.CONVERSATION_UPDATE, conversation_id=begun.conversation_id, model="a")
            _, changed = await person.talk("Back?", conversation_id=begun.conversation_id)
    assert ([model.id for model in available.models], available.default) == (["a", "b"], "a")
    assert [received.text for received in (by_default, by_choice, still, elsewhere, changed)] == [
        *("The first.", "The second.", "The second.", "The first.", "The first.")
    ]
    assert [received.of("run")[0]["model"] for received in (by_default, by_choice)] == ["a", "b"]
    assert run.model == "b" == talk.model
    assert [message.model for message in talk.messages if message.role == "assistant"] == ["a", "b", "b"]
    assert {request.json["model"] for request in first.requests} == {"a"}
    assert {request.json["model"] for request in second.requests} == {"b-2026"}
    assert {request.headers["authorization"] for request in first.requests} == {"Bearer sk-first"}
    assert {request.headers["authorization"] for request in second.requests} == {"Bearer sk-second"}


async def test_a_model_that_is_not_available_is_refused_with_those_that_are(
    serve: Serve, person: Person, written: Any
) -> None:
    async with ModelServer() as server:
        server.default = Text("Hello.")
        async with serve(models=written({"id": "a", "base_url": server.base_url})):
            talk = await person.ask(chat.CONVERSATION_CREATE, model="a")
            requests = [
                (chat.RUN_START, {"run_id": new_id(), "message": "Hi", "model": "b"}),
                (chat.CONVERSATION_CREATE, {"model": "b"}),
                (chat.CONVERSATION_UPDATE, {"conversation_id": talk.id, "model": "b"}),
            ]
            for operation, fields in requests:
                with pytest.raises(ValidationFailed) as raised:
                    await person.ask(operation, **fields)
                (error,) = raised.value.details["errors"]
                assert error == {"field": "model", "message": "There is no such model. Available: a"}
            assert (await person.conversation(talk.id)).model == "a"
    assert not server.requests


async def test_where_the_chosen_model_is_gone_the_default_answers(serve: Serve, person: Person, written: Any) -> None:
    async with ModelServer() as server:
        server.default = Text("Hello.")
        kept, gone = {"id": "a", "base_url": server.base_url}, {"id": "b", "base_url": server.base_url}
        async with serve(models=written(kept, gone)):
            begun, first = await person.talk("Hi", model="b")
        async with serve(models=written(kept)):
            _, second = await person.talk("Hi again", conversation_id=begun.conversation_id)
            talk = await person.conversation(begun.conversation_id)
    assert [received.of("run")[0]["model"] for received in (first, second)] == ["b", "a"]
    assert talk.model == "b"
    assert [message.model for message in talk.messages if message.role == "assistant"] == ["b", "a"]


async def test_queued_runs_keep_their_models(serve: Serve, person: Person, written: Any) -> None:
    """Also if the conversation's model is changed meanwhile."""
    async with ModelServer() as first, ModelServer() as second:
        first.script(opened := OpenAnswer())
        second.default = Text("The second.")
        listed = written({"id": "a", "base_url": first.base_url}, {"id": "b", "base_url": second.base_url})
        async with serve(models=listed, max_runs=1):
            _, held = await person.say("Hold the place")
            await held.until(lambda: held.text)
            started, queued = await person.say("Wait for it", model="b")
            assert (await person.ask(chat.RUN_GET, run_id=started.run_id)).model == "b"
            await person.ask(chat.CONVERSATION_UPDATE, conversation_id=started.conversation_id, model="a")
            opened.finish()
            await queued.done()
            assert (await person.ask(chat.RUN_GET, run_id=started.run_id)).model == "b"
    assert queued.text == "The second."


async def test_without_a_list_there_is_one_model(serve: Serve, person: Person) -> None:
    async with ModelServer() as server, serve(openai_base_url=server.base_url, model="local"):
        server.default = Text("Hello.")
        available = await person.ask(chat.MODELS)
        _, received = await person.talk("Hi", model="local")
    assert available == chat.AvailableModels(
        models=[chat.AvailableModel(id="local", label="local", provider="127.0.0.1")], default="local"
    )
    assert received.text == "Hello."


async def test_a_wrong_list_ends_the_process_with_the_reason(
    postgres: Postgres, broker: Nats, tmp_path: Path, written: Any
) -> None:
    environment = {"DATABASE_URL": postgres.dsn("chat"), "NATS_URL": broker.url("agent-service")}
    environment |= {"INKSTREAM_MODELS": str(written({"id": "a", "base_url": "http://a", "key_env": "gsk_secret"}))}
    with process(environment, log := tmp_path / "log") as service:
        assert service.wait(SLOW_SECONDS) == 1
    written_out = log.read_text()
    last = json.loads(written_out.splitlines()[-1])
    assert 'model "a" (number 1): key_env: the environment has no value' in last["error"].replace('\\"', '"')
    assert "gsk_secret" not in written_out


async def test_a_repeated_message_whose_model_has_left_the_list_is_the_one_that_was_stored(
    serve: Serve, person: Person, written: Any
) -> None:
    """The page repeats what it got no answer to. Another message with such a model is refused, and stays unsent."""
    async with ModelServer() as server:
        server.default = Text("Hello.")
        kept, gone = {"id": "a", "base_url": server.base_url}, {"id": "b", "base_url": server.base_url}
        async with serve(models=written(kept, gone)):
            first, _ = await person.talk("Hi", model="b", client_request_id="once")
        async with serve(models=written(kept)):
            repeated = await person.ask(
                chat.RUN_START, run_id=new_id(), message="Hi", model="b", client_request_id="once"
            )
            with pytest.raises(ValidationFailed):
                await person.ask(chat.RUN_START, run_id=new_id(), message="Hi", model="b", client_request_id="another")
            talk = await person.conversation(first.conversation_id)
    assert repeated == first
    assert [message.text for message in talk.messages] == ["Hi", "Hello."]


@pytest.mark.parametrize("format_", FORMATS)
async def test_what_a_model_of_the_list_does_not_take_is_left_out(
    serve: Serve, person: Person, written: Any, format_: str
) -> None:
    api = "chat" if format_ == "chat_completions" else "responses"
    async with ModelServer() as server:
        server.default = Text("Hello.")
        picky = {"id": "a", "base_url": server.base_url, "format": api, "omits": ["strict", "stream_options", "system"]}
        whole = {"id": "b", "base_url": server.base_url, "format": api}
        async with serve(models=written(picky, whole)):
            await person.talk("Hi")
            await person.talk("Hi", model="b")
        first, second = [request.json for request in server.requests]
    assert "stream_options" not in first
    assert "instructions" not in first
    assert not [tool for tool in first["tools"] if "strict" in tool]
    assert {message["role"] for message in first.get("messages") or first["input"]} == {"user"}
    assert "stream_options" in second or "instructions" in second


@pytest.mark.parametrize("format_", FORMATS)
async def test_the_effort_of_a_conversation(serve: Serve, person: Person, written: Any, format_: str) -> None:
    api = "chat" if format_ == "chat_completions" else "responses"
    async with ModelServer() as server:
        server.default = Text("Hello.")
        at = {"base_url": server.base_url, "format": api}
        listed = written({"id": "a", "reasoning": ["low", "ultra"], **at}, {"id": "b", **at})
        async with serve(models=listed):
            begun, _ = await person.talk("Hi", effort="ultra")
            where = {"conversation_id": begun.conversation_id}
            await person.talk("Still?", **where)
            assert (await person.conversation(begun.conversation_id)).effort == "ultra"
            await person.talk("The other one", model="b", **where)
            await person.talk("Back", model="a", **where)
            await person.talk("As you like", effort=None, **where)
            changed = await person.ask(chat.CONVERSATION_UPDATE, effort="low", **where)
            renamed = await person.ask(chat.CONVERSATION_UPDATE, title="Efforts", **where)
            await person.talk("Little", **where)
            await person.ask(chat.CONVERSATION_UPDATE, effort=None, **where)
            await person.talk("None", **where)
            created = await person.ask(chat.CONVERSATION_CREATE, effort="low")
            with pytest.raises(ValidationFailed) as raised:
                await person.talk("Hi", effort="some")
        sent = [
            request.json.get("reasoning_effort") or request.json.get("reasoning", {}).get("effort")
            for request in server.requests
        ]
    assert sent == ["ultra", "ultra", None, "ultra", None, "low", None]
    assert changed.effort == renamed.effort == created.effort == "low"
    assert raised.value.details["errors"] == [
        {"field": "effort", "message": "No model has this effort. Available: low, ultra"}
    ]


@pytest.mark.parametrize("format_", FORMATS)
async def test_an_effort_that_the_server_refuses_is_left_out_and_no_longer_offered(
    serve: Serve, person: Person, written: Any, format_: str
) -> None:
    api = "chat" if format_ == "chat_completions" else "responses"
    part = "reasoning_effort" if api == "chat" else "reasoning"

    def answer(request: Any) -> Text | Status:
        named = "reasoning_effort" if api == "chat" else "reasoning.effort"
        return Status(400, message=f"Unsupported parameter: '{named}'") if part in request.json else Text("Hello.")

    async with ModelServer() as server:
        server.default = answer
        listed = written({"id": "a", "base_url": server.base_url, "format": api, "reasoning": ["low", "high"]})
        async with serve(models=listed):
            begun, received = await person.talk("Hi", effort="high")
            available = await person.ask(chat.MODELS)
            _, again = await person.talk("And now?", conversation_id=begun.conversation_id)
            await person.ask(chat.CONVERSATION_UPDATE, conversation_id=begun.conversation_id, effort="low")
    assert (received.text, again.text) == ("Hello.", "Hello.")
    assert [event["reason"] for event in received.of("retrying")] == ["request_refused"]
    assert again.of("retrying") == []
    assert available.models[0].reasoning == []


@pytest.mark.parametrize("format_", FORMATS)
async def test_costs_are_stored_with_the_answer_and_added_up_by_day_and_model(
    serve: Serve, person: Person, written: Any, format_: str
) -> None:
    api = "chat" if format_ == "chat_completions" else "responses"
    counts = {"prompt_tokens": 1_000, "completion_tokens": 7} if api == "chat" else {"input_tokens": 1_000}
    whole = {"choices": [{"index": 0, "message": {"content": "Hello."}, "finish_reason": "stop"}], "usage": counts}
    if api == "responses":
        message = {"type": "message", "content": [{"type": "output_text", "text": "Hello."}]}
        whole = {"status": "completed", "output": [message], "usage": {**counts, "output_tokens": 7}}
    body = json.dumps(whole).encode()
    async with ModelServer() as server:
        server.default = Replay([body], content_type="application/json")
        at = {"base_url": server.base_url, "format": api}
        cheap = {"id": "cheap", "price_in": "0.15", "price_out": 0.6, **at}
        async with serve(models=written(cheap, {"id": "free", **at}, currency="EUR")):
            begun, received = await person.talk("Hi")
            await person.talk("Hi", model="free")
            available = await person.ask(chat.MODELS)
            stored = (await person.run(begun.run_id)).usage
        async with serve(models=written(cheap | {"price_in": 1_000, "price_out": 1_000}, currency="EUR")):
            _, dearer = await person.talk("Hi again", conversation_id=begun.conversation_id)
            talk = await person.conversation(begun.conversation_id)
            await person.ask(chat.CONVERSATION_DELETE, conversation_id=begun.conversation_id)
            daily = await person.ask(chat.USAGE_DAILY)
            nothing = (await person.ask(chat.RUN_REPLAY, run_id=begun.run_id)).events[-1].data
    # (1000 × 0.15 + 7 × 0.6) / 1,000,000, to the last digit
    cost = {"cost": "0.0001542", "currency": "EUR"}
    assert received.of("done")[0]["usage"] == {"input_tokens": 1_000, "output_tokens": 7, "requests": 1, **cost}
    assert stored.model_dump() == received.of("done")[0]["usage"] == nothing["usage"]
    assert dearer.of("done")[0]["usage"]["cost"] == "1.007"
    costs = [message.usage and message.usage.model_dump()["cost"] for message in talk.messages]
    assert costs == [None, "0.0001542", None, "1.007"]
    assert (available.currency, available.models[0].price_in, available.models[1].price_in) == (
        *("EUR", Decimal("0.15"), None),
    )
    days = [(day.model, day.input_tokens, day.requests, day.model_dump()["cost"], day.currency) for day in daily.days]
    assert days == [("cheap", 2_000, 2, "1.0071542", "EUR"), ("free", 1_000, 1, None, None)]


async def test_the_cost_of_a_run_of_two_models(serve: Serve, person: Person, written: Any) -> None:
    """Each has its own part of the day; of another user there is nothing."""
    first = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":10}}\n\n'
    async with ModelServer() as one, ModelServer() as two:
        one.default = Replay([first + b"data: [DONE]\n\n"])
        two.default = Replay([first.replace(b"{}", b'{"content":"Hi."}') + b"data: [DONE]\n\n"])
        listed = written(
            {"id": "one", "base_url": one.base_url, "price_in": 1, "price_out": 1, "fallback": ["two"]},
            {"id": "two", "base_url": two.base_url, "price_in": 2, "price_out": 2},
        )
        async with serve(models=listed):
            _, received = await person.talk("Hi")
            daily = await person.ask(chat.USAGE_DAILY, days=1)
    assert received.of("done")[0]["usage"] == {
        **{"input_tokens": 40, "output_tokens": 0, "requests": 4, "cost": "0.00005", "currency": "USD"}
    }
    days = [(day.model, day.requests, day.model_dump()["cost"]) for day in daily.days]
    assert days == [("one", 3, "0.00003"), ("two", 1, "0.00002")]
