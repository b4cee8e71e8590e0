"""Assembles tool calls from the parts that servers stream.

Invariant: a part belongs to an existing call, unless it shows that it begins another one: by an id other than the
call's, another tool's name, or a name although the call has all of its arguments. An index alone shows nothing: servers
send every call at index 0, count only within a chunk, or omit it.
"""

import re
import secrets
import string
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, cast

from agent_service.call_arguments import normalized_arguments
from agent_service.errors import ModelFailed
from agent_service.models.wire.listener import Listener
from agent_service.models.wire.provider_errors import BROKEN
from agent_service.repository.values import json_text, plain_text

MAX_CALLS = 128
"""Calls in one response; a model that makes more is repeating itself."""
MAX_NAME = 64
_ID_CHARACTERS = string.ascii_letters + string.digits
_ID_LENGTH = 9
"""Mistral's servers refuse ids of any other length in a conversation; all servers accept these."""
_SENT_BACK = ("extra_content", "provider_specific_fields", "thought_signature")
"""Fields of a call that have to be sent back: Gemini's signatures, under the names that proxies use."""
_PREFIX = re.compile(r"(functions?|tools?|default_api|assistant|namespace)[.:/]", re.IGNORECASE)
_COUNT = re.compile(r":\d+$")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")


def new_call_id() -> str:
    return "".join(secrets.choice(_ID_CHARACTERS) for _ in range(_ID_LENGTH))


def known_name(name: str, tools: Collection[str]) -> str | None:
    """The tool that a name means: ` create_note`, `functions.create_note:0` and `Create-Note` are `create_note`."""
    bare = _COUNT.sub("", name.strip().strip("`'\"").strip())
    for candidate in (bare, _PREFIX.sub("", bare, count=1)):
        for spelling in (candidate, candidate.lower(), candidate.lower().replace("-", "_")):
            if spelling in tools:
                return spelling
    return None


def plain_name(name: str) -> str:
    """A valid name for a conversation: providers refuse other characters in a tool's name."""
    return _NOT_IN_NAMES.sub("_", name.strip())[:MAX_NAME] or "unnamed"


@dataclass(eq=False)
class StreamedCall:
    """`call_id` is ours. From the server: `server_id`, `item_id` (Responses), `raw_name`, `extra` (fields to send back
    with the call)."""

    call_id: str = field(default_factory=new_call_id)
    server_id: str = ""
    item_id: str = ""
    raw_name: str = ""
    name: str = ""
    parts: list[str] = field(default_factory=list[str])
    extra: dict[str, Any] = field(default_factory=dict[str, Any])
    is_from_text: bool = False
    """The call was written as text."""
    is_announced: bool = False
    name_came_again: bool = False
    """The name was repeated without arguments: the next arguments show whether that began another call."""

    @property
    def arguments(self) -> str:
        """The arguments as written by the model, without incomplete characters."""
        return plain_text("".join(self.parts))

    @property
    def is_whole(self) -> bool:
        if not self.parts or not self.parts[-1].rstrip().endswith("}"):
            return False
        return normalized_arguments(self.arguments) is not None


class ToolCallAssembler:
    """The calls of one response. `tools`: the names of the offered tools."""

    def __init__(self, listener: Listener, tools: Collection[str]) -> None:
        self._calls: list[StreamedCall] = []
        self._listener = listener
        self._tools = tools
        self._by_index: dict[int, StreamedCall] = {}
        self.size = 0
        """Incremented with every part."""

    def __len__(self) -> int:
        return len(self._calls)

    def add(self, part: Any) -> StreamedCall | None:
        """Handles one element of `tool_calls`: a complete call or a part of one. None if it is empty.

        Raises `ModelFailed` if there are too many calls.
        """
        if not isinstance(part, dict):
            return None
        entry = cast(dict[str, Any], part)
        function = cast(dict[str, Any], entry["function"]) if isinstance(entry.get("function"), dict) else entry
        name, arguments = _text(function.get("name")), arguments_text(function.get("arguments"))
        server_id, index = _text(entry.get("id")), _index(entry.get("index"))
        if not (name or arguments or server_id):
            return None
        call = self._begun_before(index, server_id, name, arguments) or self._begin(index)
        if name and call.is_whole:  # the complete call again, with which some servers end
            call.name_came_again = call.name_came_again or not arguments
            return call
        if name != call.raw_name:
            call.raw_name += name
        call.server_id = call.server_id or server_id
        call.extra |= {key: value for key in _SENT_BACK if (value := entry.get(key) or function.get(key))}
        self.grow(call, arguments)
        return call

    def begin(self, server_id: str, name: str) -> StreamedCall:
        """Begins a call that is known to be a new one."""
        call = self._begin(None)
        call.server_id, call.raw_name = server_id, name
        self.grow(call, "")
        return call

    def grow(self, call: StreamedCall, arguments: str) -> None:
        """Appends the next part of the arguments; an empty part means that the name has grown."""
        self.size += 1
        if not call.is_announced and call.raw_name and (arguments or known_name(call.raw_name, self._tools)):
            self._announce(call)
        if arguments:
            call.parts.append(arguments)
            if call.is_announced:
                self._listener.tool_args(call.call_id, arguments)

    def close(self) -> list[StreamedCall]:
        """All calls; each has a name and is announced. Idempotent."""
        for call in self._calls:
            if not call.is_announced:
                self._announce(call)
        return self._calls

    def _begun_before(self, index: int | None, server_id: str, name: str, arguments: str) -> StreamedCall | None:
        call = self._candidate(index, server_id, name)
        if call is None or (server_id and call.server_id and server_id != call.server_id):
            return None
        if not name:
            if call.name_came_again and arguments:
                again = self._begin(index)
                again.raw_name = call.raw_name
                return again
            return call
        if call.raw_name and name != call.raw_name:  # another tool, unless the name arrives in parts
            return None if call.parts or known_name(call.raw_name, self._tools) else call
        return None if arguments and call.is_whole and arguments != "".join(call.parts) else call

    def _candidate(self, index: int | None, server_id: str, name: str) -> StreamedCall | None:
        """The call by index, else by id, else the last one; a name at a new index begins a call."""
        if index is not None and index in self._by_index:
            return self._by_index[index]
        if index is not None and name:
            return None
        same_id = [call for call in self._calls if server_id and call.server_id == server_id]
        if same_id or (server_id and name):
            return same_id[-1] if same_id else None
        return self._calls[-1] if self._calls else None

    def _begin(self, index: int | None) -> StreamedCall:
        if len(self._calls) == MAX_CALLS:
            raise ModelFailed("model_unavailable", BROKEN, retryable=True)
        call = StreamedCall()
        self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        return call

    def _announce(self, call: StreamedCall) -> None:
        """Announced once the name is that of a tool, or the arguments begin: until then the name may be incomplete."""
        call.name = known_name(call.raw_name, self._tools) or plain_name(call.raw_name)
        call.is_announced = True
        self._listener.tool_call_began(call.call_id, call.name)
        if call.parts:
            self._listener.tool_args(call.call_id, "".join(call.parts))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _index(value: Any) -> int | None:
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def arguments_text(value: Any) -> str:
    """Arguments are text, or with some servers the object itself."""
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return json_text(value)
    except (RecursionError, ValueError):  # nested too deeply for any tool
        return str(cast(object, value))
