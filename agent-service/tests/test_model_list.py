"""Several models: the file that lists them, and who answers in which conversation, over real sockets."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent_service.model_list import InvalidModelList, read_model_list
from contracts import chat
from contracts.errors import ValidationFailed
from contracts.ids import new_id
from standalone.nats import Nats
from standalone.postgres import Postgres
from standalone.testing import SLOW_SECONDS
from tests.model_server import ModelServer, OpenAnswer, Text

from .people import Person, Serve
from .test_process import process
from .test_real_models import FORMATS

ONE: dict[str, Any] = {"id": "one", "base_url": "http://127.0.0.1:9/v1"}
TOML = """
default = "large"

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
        "reasoning": ["low", "high"],
    }
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
