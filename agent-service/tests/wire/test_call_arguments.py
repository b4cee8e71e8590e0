"""Arguments as models write them."""

import json

import pytest

from agent_service.call_arguments import (
    normalized_arguments,
    parse_arguments,
    raw_arguments,
)
from agent_service.repository.values import parsed_or_text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('{"a": 1}', {"a": 1}),
        ("", {}),
        (" \n", {}),
        ("null", {}),
        ('"{\\"a\\": 1}"', {"a": 1}),
        ('{"a": "half \\ud83d"}', {"a": "half ?"}),
        ('{"a": "whole \\ud83d\\ude00"}', {"a": "whole 😀"}),
        ('{"a": "two\nlines"}', {"a": "two\nlines"}),
        ('{"a": NaN}', {"a": None}),
        ('{"a": [[[[1]]]]}', {"a": [[[[1]]]]}),
    ],
)
def test_what_is_meant(text: str, meant: object) -> None:
    assert parse_arguments(text) == meant
    normalized = normalized_arguments(text)
    assert normalized is not None
    assert json.loads(normalized) == meant


@pytest.mark.parametrize(
    "text", ["[]", "7", '"text"', '{"a": ', "{'a': 1}", "[" * 5000, '{"a":' * 300 + "1" + "}" * 300]
)
def test_what_is_no_object(text: str) -> None:
    assert parse_arguments(text) is None
    assert normalized_arguments(text) is None
    json.dumps(parsed_or_text(text))


def test_an_object_stays_as_it_was_written() -> None:
    assert normalized_arguments('{ "b":1,\n"a" : 2}') == '{ "b":1,\n"a" : 2}'


def test_as_written() -> None:
    assert raw_arguments({"arguments": "{}", "provider_data": {"arguments": "[]"}}) == "[]"
    assert raw_arguments({"arguments": '{"a": 1}', "provider_data": {"provider": "x"}}) == '{"a": 1}'
    assert raw_arguments({"arguments": '{"a": 1}'}) == '{"a": 1}'
