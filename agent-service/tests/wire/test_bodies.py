"""Every body is read as what is right for it, however it is cut."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_service.errors import ModelFailed
from agent_service.models.wire.response_body import ResponseBody

from .bodies import CASES, Case, Recorder, body_for

Outcome = tuple[Any, ...]


def read(case: Case, chunks: list[bytes]) -> tuple[Recorder, Outcome]:
    """What the listener received, and how it ended."""
    listener = Recorder()
    body = body_for(case.api, listener)
    return listener, (*listener.received, *_end(body, chunks))


def _end(body: ResponseBody, chunks: list[bytes]) -> Outcome:
    try:
        for chunk in chunks:
            body.feed(chunk)
        body.close()
        whole = body.builder.complete("m")
    except ModelFailed as failed:
        return (failed.message,)
    assert whole.response.usage is not None
    items = [item.model_dump(exclude={"call_id", "id"}) for item in whole.response.output]
    return whole.finish_reason, whole.response.usage.input_tokens, items


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_right(case: Case) -> None:
    listener = Recorder()
    body = body_for(case.api, listener)
    end = _end(body, [case.body])
    assert listener.received == (case.text, case.reasoning, list(case.calls))
    if case.fails is not None:
        assert end == (case.fails,)
        return
    finish, usage, items = end
    assert (finish, usage) == (case.finish, case.usage)
    final = case.text if case.final is None else case.final
    assert "".join(part["text"] for item in items if item["type"] == "message" for part in item["content"]) == final
    assert [item["name"] for item in items if item["type"] == "function_call"] == [name for name, _ in case.calls]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_cut_anywhere_it_is_the_same(case: Case) -> None:
    """In two, at every byte; and byte by byte. A long one only here and there."""
    expected = joined(case, [case.body])
    step = max(1, len(case.body) // 400)
    for at in range(0, len(case.body), step):
        assert joined(case, [case.body[:at], case.body[at:]]) == expected, at
    assert joined(case, [case.body[at : at + 1] for at in range(len(case.body))]) == expected


@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize("case", [case for case in CASES if len(case.body) < 5000], ids=str)
@given(chances=st.randoms(use_true_random=False))
def test_chunks_of_any_size(case: Case, chances: Any) -> None:
    chunks: list[bytes] = []
    rest = case.body
    while rest:
        size = chances.choice((1, 2, 3, 7, 40, 200))
        chunks.append(rest[:size])
        rest = rest[size:]
    assert joined(case, chunks) == joined(case, [case.body])


def joined(case: Case, chunks: list[bytes]) -> Outcome:
    listener = Recorder()
    body = body_for(case.api, listener)
    return (_end(body, chunks), listener.received)
