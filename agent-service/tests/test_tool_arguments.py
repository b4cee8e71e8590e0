"""Errors for invalid arguments: they say enough for a correct second attempt, and nothing is changed."""

import time
from typing import Any

import pytest
from pydantic import ValidationError

from agent_service.tools.edit import edited
from contracts.errors import ValidationFailed
from contracts.ids import new_id
from contracts.tools import TOOLS, EditNote
from servicekit.rpc.server import readable

NOTE = new_id()


@pytest.mark.parametrize(
    ("tool", "arguments", "field", "message"),
    [
        ("create_note", {"title": "A", "content": "lost?"}, "content", "not permitted"),
        ("update_note", {"note_id": NOTE, "text": "lost?"}, "text", "not permitted"),
        ("update_note", {"note_id": NOTE}, "", "at least one of `title`, `body`, `tags`, `pinned`, `archived`"),
        ("update_note", {"note_id": NOTE, "expected_version": 2}, "", "at least one"),
        ("edit_note", {"note_id": NOTE, "find": "a", "replacement": "b"}, "replacement", "not permitted"),
        ("edit_note", {"note_id": NOTE, "replace": "a", "append": "b"}, "", "`find` and `replace`"),
        ("edit_note", {"note_id": NOTE}, "", "`append`"),
        ("read_note", {"id": NOTE}, "note_id", "required"),
    ],
)
def test_what_is_not_understood_is_said(tool: str, arguments: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TOOLS[tool].arguments.model_validate(arguments)
    assert any(error["field"] == field and message in error["message"] for error in readable(refused.value))


@pytest.mark.parametrize(
    ("body", "find", "hint"),
    [
        ("- Milk\n- eggs", "milk", {"as_it_stands": "Milk"}),
        ("oat\n  milk, please", "oat milk", {"as_it_stands": "oat\n  milk"}),
        ("He said “no”.", 'said "no"', {"as_it_stands": "said “no”"}),
        ("a.b (c)", "A.B  (C)", {"as_it_stands": "a.b (c)"}),
        ("Milk MILK", "milk", {}),
        ("axb", "a.b", {}),
        ("milk", "bread", {}),
        ("milk", "  ", {}),
        ("1 milk\n2 milk", "milk", {"places": ["1 milk\n2 milk", "1 milk\n2 milk"]}),
        ("milk" * 9, "milk", {"places": ["milk" * 9] * 5}),
    ],
)
def test_why_a_text_was_not_found(body: str, find: str, hint: dict[str, Any]) -> None:
    with pytest.raises(ValidationFailed) as refused:
        edited(body, EditNote(note_id=NOTE, find=find, replace="x"))
    (error,) = refused.value.details["errors"]
    assert {name: value for name, value in error.items() if name not in ("field", "message")} == hint
    assert error["message"] == refused.value.message
    counted = f"in the note {body.count(find)} times"
    assert (counted if body.count(find) else "is not in the note") in error["message"]


@pytest.mark.parametrize(
    ("body", "find"),
    [
        ("a " * 100_000, "A " * 20_000 + "b"),
        ("a" * 200_000, "A" * 20_000 + "b"),
        (" ".join(f"word{number}" for number in range(20_000)), " ".join(f"Word{number}" for number in range(20_000))),
        ("“ " * 100_000, '" ' * 20_000 + "x"),
    ],
)
def test_a_long_text_is_looked_for_in_a_short_time(body: str, find: str) -> None:
    """In time proportional to it: what is measured is the process's own CPU, of which a second is plenty."""
    began = time.process_time()
    with pytest.raises(ValidationFailed):
        edited(body, EditNote(note_id=NOTE, find=find, replace="x"))
    assert time.process_time() - began < 1
