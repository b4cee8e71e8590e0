"""Tool calls that a model writes as text, because its server does not parse them.

Only unambiguous text is treated as a call: it needs a format's own marks (or is a response that consists of one JSON
object), the name of an offered tool, and arguments that are an object.
"""

import re
from collections.abc import Collection
from typing import Any, NamedTuple, cast

from agent_service.call_arguments import parse_arguments, parse_json
from agent_service.models.wire.tool_calls import arguments_text, known_name


class TextCall(NamedTuple):
    """`arguments`: the JSON text of an object."""

    name: str
    arguments: str


MARKS: dict[str, str | None] = {
    "<tool_call>": "</tool_call>",
    "<function=": "</function>",
    "[TOOL_CALLS]": None,
    "<|python_tag|>": None,
}
"""The opening and closing marks of a call; None if it ends with the response."""
_MARK = re.compile(r"</?tool_call>|\[TOOL_CALLS\]|<\|python_tag\|>|<\|eom_id\|>|<\|eot_id\|>|</s>")
_FUNCTION = re.compile(r"<function=([\w.:-]{1,80})>(.*?)(?:</function>|\Z)", re.DOTALL)
_PARAMETER = re.compile(r"<parameter=([\w-]{1,80})>\n?(.*?)\n?(?:</parameter>|\Z)", re.DOTALL)
_KEYED = re.compile(r"<arg_key>\s*([\w-]{1,80})\s*</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL)
_NAMED = re.compile(r"([\w.:-]{1,80})\s*(?:\[ARGS\]\s*)?(\{.*)", re.DOTALL)


def text_calls(text: str, tools: Collection[str]) -> list[TextCall]:
    """The calls of which the text consists; empty if it contains anything else."""
    bare = _MARK.sub("", text).strip()
    found = _json_calls(bare) or _function_calls(bare) or _keyed_call(bare) or _named_call(bare)
    calls: list[TextCall] = []
    for name, arguments in found:
        known = known_name(name, tools)
        if known is None or parse_arguments(arguments) is None:
            return []
        calls.append(TextCall(known, arguments))
    return calls


def may_become_call(text: str, tools: Collection[str]) -> bool:
    """Whether a response with this beginning may consist of `{"name": "<tool>", …}`. Once False, it stays so for any
    continuation."""
    for literal in ("{", '"name"', ":", '"'):
        if literal.startswith(text):
            return True
        if not text.startswith(literal):
            return False
        text = text.removeprefix(literal)
        if literal != '"':
            text = text.lstrip()
    name, end, _ = text.partition('"')
    return name in tools if end else any(tool.startswith(name) for tool in tools)


def _json_calls(text: str) -> list[TextCall]:
    """`{"name": …, "arguments": {…}}`, or a list of such."""
    try:
        value = parse_json(text)
    except ValueError:
        return []
    values = cast(list[Any], value) if isinstance(value, list) else [value]
    calls = [_json_call(one) for one in values]
    return [call for call in calls if call] if all(calls) else []


def _json_call(value: Any) -> TextCall | None:
    fields = cast(dict[str, Any], value) if isinstance(value, dict) else {}
    name, arguments = fields.get("name"), fields.get("arguments", fields.get("parameters"))
    if not isinstance(name, str) or not isinstance(arguments, dict | str):
        return None
    return TextCall(name, arguments_text(cast(object, arguments)))


def _function_calls(text: str) -> list[TextCall]:
    """`<function=name>{…}</function>`, or with `<parameter=name>…</parameter>` for each argument."""
    if _FUNCTION.sub("", text).strip():
        return []
    return [
        TextCall(name, arguments_text(dict(_PARAMETER.findall(body))) if "<parameter=" in body else body)
        for name, body in _FUNCTION.findall(text)
    ]


def _keyed_call(text: str) -> list[TextCall]:
    """`name<arg_key>…</arg_key><arg_value>…</arg_value>`."""
    name, mark, keyed = text.partition("<arg_key>")
    if not mark or _KEYED.sub("", mark + keyed).strip():
        return []
    return [TextCall(name, arguments_text(dict(_KEYED.findall(mark + keyed))))]


def _named_call(text: str) -> list[TextCall]:
    """`name[ARGS]{…}` or `name{…}`."""
    named = _NAMED.fullmatch(text)
    return [TextCall(named[1], named[2])] if named else []
