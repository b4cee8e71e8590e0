"""What one model server accepts of a request, learned from what it refuses.

Nothing is concluded from the name of a server or a model, as both are often aliases. A request is sent whole. If the
server refuses it and names a part that the request can do without, it is repeated without that part; if it names none,
it is repeated in its plainest form. The parts that a request was accepted without are left out from then on, by this
process; the setting `INKSTREAM_MODEL_OMITS` names some from the beginning.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from agent_service.errors import RequestRefused

SYSTEM_ROLE = "system role"
"""The part that stands for instructions in a message or a field of their own."""
TOOLS = "tools"
_EFFORT = ("reasoning_effort", "reasoning")
_REQUIRED = frozenset({"model", "messages", "input"})
_IN_MESSAGES = ("reasoning_content", "reasoning_details", "reasoning", "extra_content")
_IN_TOOLS = ("strict",)
_NO_SYSTEM_ROLE = re.compile(
    r"(system|developer).{0,20}(role|message|prompt|instruction).{0,60}(not|n't|un)[ -]?(support|allow|permit|valid)"
    r"|(not|n't|un)[ -]?(support|allow|permit).{0,40}(system|developer).{0,10}(role|message|prompt|instruction)"
    r"|(invalid|unknown|unexpected|unsupported).{0,60}\brole\b.{0,60}(system|developer)"
    r"|\brole\b.{0,60}(not|n't|un)[ -]?(support|allow|permit|valid).{0,20}(system|developer)"
    r"|\brole\b.{0,60}(should|must) be .{0,20}user.{0,20}assistant",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Form:
    """How a request is encoded. `omitted`: parts that are left out. `is_plain`: the conversation as messages of two
    roles, and nothing beside it that the server can do without, except the tools."""

    omitted: frozenset[str] = frozenset()
    is_plain: bool = False

    @property
    def has_plain_history(self) -> bool:
        """Calls cannot be sent to a server that takes no tools."""
        return self.is_plain or TOOLS in self.omitted


@dataclass
class Dialect:
    """Of one server. `omitted`: names of fields, and `SYSTEM_ROLE`."""

    omitted: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, setting: str) -> "Dialect":
        """From names separated by commas or spaces."""
        return cls.of(re.split(r"[\s,]+", setting.strip()))

    @classmethod
    def of(cls, names: Iterable[str]) -> "Dialect":
        """`system` stands for the system role."""
        return cls(frozenset(SYSTEM_ROLE if name == "system" else name for name in names if name))

    @property
    def has_tools(self) -> bool:
        return TOOLS not in self.omitted

    @property
    def takes_effort(self) -> bool:
        return self.omitted.isdisjoint(_EFFORT)

    def form(self) -> Form:
        """Of the next request."""
        return Form(self.omitted)

    def simpler(self, form: Form, body: dict[str, Any], refused: RequestRefused) -> Form | None:
        """The form in which the refused request `body` is to be repeated; None if no simpler one may help.

        Each step omits a part or makes the form plain, so that a request is repeated a bounded number of times.
        """
        part = _refused_part(body, refused)
        if part is not None and part not in form.omitted:
            return replace(form, omitted=form.omitted | {part})
        return None if form.is_plain else replace(form, is_plain=True)

    def accepted(self, form: Form, whole: dict[str, Any], sent: dict[str, Any]) -> None:
        """Remembers what a request was accepted without. A plain form is not remembered for its history, which may have
        been the only one that the server did not take. `whole`: the first body, `sent`: the accepted one."""
        self.omitted |= form.omitted
        if form.is_plain and not _has_structure(whole):
            self.omitted |= whole.keys() - sent.keys()


def without(body: dict[str, Any], form: Form) -> dict[str, Any]:
    """The body of a request without the parts that the form omits."""
    kept = {name: value for name, value in body.items() if name not in form.omitted}
    if form.is_plain:
        kept = {name: value for name, value in kept.items() if name in _REQUIRED | {"stream", "instructions", TOOLS}}
    if (in_messages := form.omitted.intersection(_IN_MESSAGES)) and "messages" in kept:
        kept["messages"] = [_less(message, in_messages) for message in kept["messages"]]
    if (in_tools := form.omitted.intersection(_IN_TOOLS)) and TOOLS in kept:
        kept[TOOLS] = [_less(tool, in_tools) for tool in kept[TOOLS]]
    return kept


def _less(value: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: part for name, part in value.items() if name not in names}


def _has_structure(body: dict[str, Any]) -> bool:
    """Whether the conversation has more than messages of text."""
    messages: list[dict[str, Any]] = body.get("messages") or body.get("input") or []
    return any(message.keys() - {"role", "content"} or message.get("role") == "tool" for message in messages)


def _refused_part(body: dict[str, Any], refused: RequestRefused) -> str | None:
    """The part of the request that the server names first in its refusal."""
    if is_about_system_role(refused.text):
        return SYSTEM_ROLE
    for names in (_inner_parts(body), body.keys() - _REQUIRED - {TOOLS}):
        named = [(found.start(), name) for name in names if (found := _name(name).search(refused.text))]
        if named:
            return min(named)[1]
    is_about_tools = refused.is_about_tools or _name(TOOLS).search(refused.text)
    return TOOLS if is_about_tools and TOOLS in body else None


def is_about_system_role(text: str) -> bool:
    """Whether an error says that there may be no message of the system."""
    return _NO_SYSTEM_ROLE.search(text) is not None


def _inner_parts(body: dict[str, Any]) -> Iterator[str]:
    """The parts of messages and tools that a request can do without."""
    messages: list[dict[str, Any]] = body.get("messages", [])
    yield from (name for name in _IN_MESSAGES if any(name in message for message in messages))
    tools: list[dict[str, Any]] = body.get(TOOLS, [])
    yield from (name for name in _IN_TOOLS if any(name in tool for tool in tools))


def _name(part: str) -> re.Pattern[str]:
    """The name by itself: `stream` is not named by "stream_options", and `tools` not by "upstream tools.py"."""
    return re.compile(rf"(?<![\w-]){re.escape(part)}(?![\w-])")
