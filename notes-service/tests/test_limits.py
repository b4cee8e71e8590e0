"""The limits of a note; any text within them is returned as it was written."""

from collections.abc import AsyncGenerator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nats.aio.client import Client

from contracts import notes
from contracts.actor import Actor
from contracts.errors import PayloadTooLarge, ValidationFailed
from contracts.ids import new_id
from contracts.operation import Operation
from servicekit import rpc

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=300)
TITLES = TEXT.map(str.strip).filter(lambda title: 1 <= len(title) <= notes.TITLE_MAX_CHARACTERS)
TAGS = st.lists(
    TEXT.map(str.strip).filter(lambda tag: 1 <= len(tag) <= notes.TAG_MAX_CHARACTERS), max_size=5, unique=True
)
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@MANY
@given(TITLES, TEXT, TAGS)
@example("\u202eright to left", "\ufeff\r\n\t\x01\x7f\u2028", ["e\u0301", "é", "🏳️‍🌈"])
@example("😀" * 200, "\U0010ffff\ufdd0\ufffe", ["ß" * 50])
async def test_any_text_comes_back_as_it_was_written(ada, title, body, tags):
    made = await ada.create(title, body=body, tags=tags)
    assert (made.title, made.body, made.tags) == (title, body, tags)
    assert await ada.get(made.id) == made
    (shown,) = [note for note in (await ada.request(notes.LIST, limit=1)).notes if note.id == made.id]
    assert len(shown.preview) <= notes.PREVIEW_CHARACTERS
    assert (await ada.request(notes.DELETE, id=made.id)).body == body


@MANY
@given(TEXT.map(str.strip).filter(lambda q: 1 <= len(q) <= notes.QUERY_MAX_CHARACTERS), TEXT)
async def test_any_search_of_any_text_is_answered_with_safe_snippets(ada, q, body):
    made = await ada.create("A title", body=body)
    for hit in await ada.search(q):
        unmarked = hit.snippet.replace("<mark>", "").replace("</mark>", "")
        assert "<" not in unmarked
        assert ">" not in unmarked
        assert hit.snippet.count("<mark>") == hit.snippet.count("</mark>")
    await ada.request(notes.DELETE, id=made.id)


@pytest.mark.parametrize("word", ["x", "é", "語", "😀"])
async def test_a_title_has_200_characters_in_any_script(ada, word):
    assert (await ada.create(word * 200)).title == word * 200
    with pytest.raises(ValueError, match="200"):
        await ada.create(word * 201)


async def test_a_body_has_256_kib_in_utf_8(ada):
    for text in ("x" * 262_144, "é" * 131_072, "😀" * 65_536, "\x01" * 262_144, '"\\' * 131_072, "# *a*\n" * 43_690):
        made = await ada.create(body=text)
        assert made.body == text
        assert (await ada.get(made.id)).body == text


@pytest.fixture
async def raw(service: None, gateway: Client) -> AsyncGenerator["Raw"]:
    yield Raw(gateway)


class Raw:
    """Sends requests that our models would refuse."""

    def __init__(self, nc: Client) -> None:
        self.nc = nc
        self.actor = Actor(user_id=new_id(), kind="user").model_dump_json()

    async def refused(self, operation: Operation, payload: str | bytes) -> list[dict[str, str]]:
        reply = await self.nc.request(operation.subject, payload.encode() if isinstance(payload, str) else payload)
        assert reply.headers["Inkstream-Error-Code"] == "validation_failed"
        error = rpc.headers.read_error(reply.headers, reply.data)
        assert isinstance(error, ValidationFailed)
        return error.details["errors"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ('"title":""', "title"),
        ('"title":"  \\n "', "title"),
        ('"title":null', "title"),
        ('"title":5', "title"),
        ('"title":["x"]', "title"),
        ('"body":"x"', "title"),
        (f'"title":"{"x" * 201}"', "title"),
        ('"title":"a\\u0000b"', "title"),
        ('"title":"x","body":"\\u0000"', "body"),
        ('"title":"x","tags":["\\u0000"]', "tags.0"),
        ('"title":"x","tags":["ok",""]', "tags.1"),
        (f'"title":"x","tags":["{"t" * 51}"]', "tags.0"),
        (f'"title":"x","tags":{[str(n) for n in range(33)]}'.replace("'", '"'), "tags"),
        ('"title":"x","tags":"t"', "tags"),
        (f'"title":"x","body":"{"y" * 262_145}"', "body"),
        (f'"title":"x","body":"{"é" * 131_073}"', "body"),
        (f'"title":"x","idempotency_key":"{"k" * 201}"', "idempotency_key"),
        ('"title":"x","idempotency_key":"a\\u0000b"', "idempotency_key"),
    ],
)
async def test_what_is_beyond_a_limit_is_refused_by_its_field(raw, fields, field):
    errors = await raw.refused(notes.CREATE, f'{{"actor":{raw.actor},{fields}}}')
    assert [error["field"] for error in errors] == [field]
    assert "yyyy" not in errors[0]["message"]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b'{"actor":{}}',
        b'{"title":"\\ud800"}',
        b'{"title":"\xed\xa0\x80"}',
    ],
)
async def test_what_is_no_request_is_refused(raw, payload):
    assert await raw.refused(notes.CREATE, payload)


@pytest.mark.parametrize("user", ["*", ">", "a.b", "", "A" * 36, "01a1f803-1bb6-71cb-a4bd-11a0ef1419e7 "])
async def test_a_user_is_an_id_and_nothing_that_a_subject_would_take_otherwise(raw, user):
    errors = await raw.refused(notes.CREATE, f'{{"actor":{{"kind":"user","user_id":"{user}"}},"title":"x"}}')
    assert errors[0]["field"] == "actor.user_id"


async def test_a_request_beyond_what_the_broker_takes_is_too_large(ada):
    request = notes.CreateNote.model_construct(actor=ada.actor, title="x", body="y" * 5_000_000)
    with pytest.raises(PayloadTooLarge):
        await rpc.call(ada.nc, notes.CREATE, request)
