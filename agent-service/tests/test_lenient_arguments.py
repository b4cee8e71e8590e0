"""Malformed arguments of small models are accepted if their meaning is clear."""

import json
from typing import Any

import pytest
from pydantic import ValidationError

from agent_service.tools.arguments import read_arguments
from contracts.errors import ValidationFailed
from contracts.ids import new_id
from contracts.tools import TOOLS

NOTE = new_id()


@pytest.mark.parametrize(
    ("tool", "given", "meant"),
    [
        ("list_notes", {"limit": None, "tag": None, "archived": None, "cursor": None}, {}),
        ("list_notes", {"limit": 5, "tag": "", "cursor": "", "archived": ""}, {"limit": 5}),
        ("list_notes", {"limit": "5", "archived": "false"}, {"limit": 5, "archived": False}),
        ("list_notes", {"limit": 5.0, "archived": "True"}, {"limit": 5, "archived": True}),
        ("create_note", {"title": "A", "tags": '["food", "home"]'}, {"title": "A", "tags": ["food", "home"]}),
        ("create_note", {"title": "A", "tags": "food, home"}, {"title": "A", "tags": ["food", "home"]}),
        ("create_note", {"title": "A", "tags": "food"}, {"title": "A", "tags": ["food"]}),
        ("create_note", {"title": "A", "tags": "", "body": None}, {"title": "A"}),
        ("create_note", {"title": "A", "tags": " , "}, {"title": "A"}),
        ("create_note", {"title": "A", "tags": []}, {"title": "A", "tags": []}),
        ("update_note", {"note_id": NOTE, "title": "B", "body": "", "tags": ""}, {"note_id": NOTE, "title": "B"}),
        ("update_note", {"note_id": NOTE, "body": ""}, {"note_id": NOTE, "body": ""}),
        ("update_note", {"note_id": NOTE, "tags": "[]"}, {"note_id": NOTE, "tags": []}),
        (
            "update_note",
            {"note_id": NOTE, "pinned": "true", "expected_version": "3"},
            {"note_id": NOTE, "pinned": True, "expected_version": 3},
        ),
        ("edit_note", {"note_id": NOTE, "find": "a", "replace": "", "append": ""}, {"note_id": NOTE, "find": "a"}),
        ("edit_note", {"note_id": NOTE, "find": "", "replace": "", "append": "b"}, {"note_id": NOTE, "append": "b"}),
    ],
)
def test_what_is_meant(tool: str, given: dict[str, Any], meant: dict[str, Any]) -> None:
    arguments = read_arguments(TOOLS[tool], json.dumps(given))
    assert arguments.model_dump(exclude_unset=True) == meant


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("create_note", {"title": ""}),
        ("create_note", {"title": None}),
        ("create_note", {"tags": "food"}),
        ("update_note", {"note_id": NOTE, "title": ""}),
        ("update_note", {"note_id": NOTE, "title": "", "body": ""}),
        ("list_notes", {"limit": "many"}),
        ("list_notes", {"limit": 5, "colour": None}),
    ],
)
def test_what_is_wrong_stays_wrong(tool: str, given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        read_arguments(TOOLS[tool], json.dumps(given))


@pytest.mark.parametrize("text", ["[]", '{"title": "A', "[" * 5000, "7"])
def test_no_object(text: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        read_arguments(TOOLS["create_note"], text)
    assert "one JSON object" in refused.value.message
    assert len(refused.value.message) < 400


def test_nothing_is_no_argument_at_all() -> None:
    assert read_arguments(TOOLS["list_notes"], "").limit == 20
