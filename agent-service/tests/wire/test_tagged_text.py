"""A model's text, cut anywhere, is parted the same; and nothing of it is lost."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_service.models.wire.tagged_text import MAX_HELD, TaggedText
from agent_service.models.wire.text_calls import TextCall

TOOLS = {"create_note", "list_notes"}
FRAGMENTS = [
    "<think>",
    "</think>",
    "<thought>",
    "</thought>",
    "[THINK]",
    "<tool_call>",
    "</tool_call>",
    "<function=list_notes>",
    "</function>",
    "[TOOL_CALLS]",
    '{"name": "list_notes", "arguments": {}}',
    '{"name": "',
    "{}",
    "```",
    "<",
    "[",
    "\n",
    " ",
    "Good day.",
]
written = st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)

Parted = tuple[str, str, list[TextCall], str]


def part(pieces: list[str], *, tools: set[str] = TOOLS) -> Parted:
    """The streamed text, the reasoning, the calls, and the final text."""
    text: list[str] = []
    thought: list[str] = []
    calls: list[TextCall] = []
    tagged = TaggedText(text.append, thought.append, calls.append, tools)
    for piece in pieces:
        tagged.feed(piece)
    tagged.close()
    assert all(text)
    assert all(thought)
    return "".join(text), "".join(thought), calls, "".join(tagged.parts)


@given(text=written, cuts=st.sets(st.integers(0, 200), max_size=8))
def test_cut_anywhere(text: str, cuts: set[int]) -> None:
    at = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    expected = part([text])
    assert part([text[begin:end] for begin, end in pairwise(at)]) == expected
    assert part(list(text)) == expected


@given(text=written)
def test_without_tools_and_thoughts_it_is_the_text(text: str) -> None:
    for mark in ("<think>", "</think>", "<thought>", "</thought>", "[THINK]"):
        text = text.replace(mark, "")
    streamed, thought, calls, final = part([text], tools=set())
    assert (thought, calls) == ("", [])
    assert streamed == final == ("" if not text.strip() else text)


@pytest.mark.parametrize("text", ["<tool_call>", "[TOOL_CALLS]", '{"name": "list_notes", '])
def test_what_is_too_long_for_a_call_is_text(text: str) -> None:
    text += "x" * MAX_HELD + "\nmore"
    assert part(list(text)) == part([text]) == (text, "", [], text)


def test_calls_and_text_around_them() -> None:
    call = '<tool_call>{"name": "list_notes", "arguments": {"limit": 3}}</tool_call>'
    streamed, _, calls, final = part([f"One.\n{call}\n\n{call}\nTwo."])
    assert streamed == final == "One.\nTwo."
    assert calls == [TextCall("list_notes", '{"limit":3}')] * 2
