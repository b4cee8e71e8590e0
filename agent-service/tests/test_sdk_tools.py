"""The tool registry and the SDK tools built from it."""

from typing import Any

import pytest

from agent_service.tools import IMPLEMENTATIONS, requires_approval, sdk_tools, tools_requiring_approval
from contracts.chat import ApprovalPolicy
from contracts.tools import TOOLS

from .test_session import a_run


def test_every_tool_has_an_implementation() -> None:
    assert set(IMPLEMENTATIONS) == set(TOOLS)
    assert all(implementation.tool is TOOLS[name] for name, implementation in IMPLEMENTATIONS.items())


def test_schemas_are_plain_and_name_no_user() -> None:
    for tool in TOOLS.values():
        schema = tool.schema_of_arguments()
        assert "anyOf" not in str(schema)
        assert schema["additionalProperties"] is False
        assert not {name for name in schema["properties"] if "user" in name or "actor" in name}


@pytest.mark.parametrize(
    ("policy", "required"),
    [
        ("always", {"create_note", "update_note", "edit_note", "delete_note"}),
        ("destructive", {"delete_note"}),
        ("never", set[str]()),
    ],
)
def test_the_policy_says_which_tools_require_approval(policy: ApprovalPolicy, required: set[str]) -> None:
    run = a_run(approval=policy)
    assert {name for name in TOOLS if requires_approval(run, name)} == required
    assert {tool.name for tool in sdk_tools(tools_requiring_approval(run)) if tool.needs_approval} == required


def test_a_tool_allowed_for_the_conversation_requires_none() -> None:
    run = a_run(approval="always", allowed_tools=["delete_note"])
    assert not requires_approval(run, "delete_note")
    assert requires_approval(run, "edit_note")
    assert not requires_approval(run, "no_such_tool")


@pytest.mark.parametrize("name", TOOLS)
def test_labels_are_complete(name: str) -> None:
    labels: dict[str, Any] = TOOLS[name].labels.model_dump()
    assert all(labels[field] for field in ("request", "running", "done", "failed"))
