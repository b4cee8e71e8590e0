"""The conversation in a form that every server accepts: built from the SDK's items, before it is encoded.

Invariants, whatever is stored: a call has exactly one output; between the two there are only calls and outputs of the
same response; arguments are the JSON text of an object; a name has only characters that providers allow.
They hold because a response and its outputs are collected first and written out as one turn.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count
from typing import Any, cast

from agents.models.fake_id import FAKE_RESPONSES_ID

from agent_service.call_arguments import normalized_arguments
from agent_service.models.wire.tool_calls import plain_name

NO_OUTPUT = '{"error":{"code":"cancelled","message":"This was not done."}}'
"""The output of a call whose run ended before there was a result."""


@dataclass(frozen=True)
class TranscriptMessage:
    """`item_id`: its id at a Responses server, if it has one."""

    role: str
    content: Any
    item_id: str | None = None


@dataclass(frozen=True)
class TranscriptReasoning:
    """`item`: as stored; `data`: what `ResponseBuilder` added to it."""

    item: dict[str, Any]
    data: dict[str, Any]

    @property
    def text(self) -> str:
        return text_of(self.item.get("summary"))


@dataclass(frozen=True)
class TranscriptCall:
    """`call_id` is ours; `data`: what `ResponseBuilder` added: the server's id, and fields to send back."""

    call_id: str
    item_id: str | None
    name: str
    arguments: str
    data: dict[str, Any]
    output: str


@dataclass(frozen=True)
class AssistantTurn:
    """One response of the model: its messages, then its calls, each after the reasoning that preceded it."""

    messages: list[TranscriptMessage | TranscriptReasoning]
    calls: list[TranscriptCall | TranscriptReasoning]

    @property
    def text(self) -> str:
        texts = (text_of(part.content) for part in self.messages if isinstance(part, TranscriptMessage))
        return "\n\n".join(text for text in texts if text)


class _Turn:
    """A turn that is being built."""

    def __init__(self) -> None:
        self.messages: list[TranscriptMessage | TranscriptReasoning] = []
        self.calls: list[dict[str, Any] | TranscriptReasoning] = []
        self.outputs: dict[str, str] = {}
        self._before: list[TranscriptReasoning] = []

    def think(self, item: dict[str, Any]) -> None:
        self._before.append(TranscriptReasoning(item, _data(item)))

    def say(self, message: TranscriptMessage) -> None:
        self.messages += [*self._before, message]
        self._before = []

    def call(self, item: dict[str, Any]) -> None:
        self.calls += [*self._before, item]
        self._before = []

    def add_output(self, item: dict[str, Any]) -> None:
        if any(isinstance(call, dict) and call["call_id"] == item["call_id"] for call in self.calls):
            self.outputs[item["call_id"]] = text_of(item.get("output"))

    def whole(self) -> AssistantTurn:
        return AssistantTurn(
            self.messages, [self._call(part) if isinstance(part, dict) else part for part in self.calls]
        )

    def _call(self, item: dict[str, Any]) -> TranscriptCall:
        return TranscriptCall(
            call_id=item["call_id"],
            item_id=_item_id(item),
            name=plain_name(item["name"]),
            arguments=normalized_arguments(item.get("arguments") or "") or "{}",
            data=_data(item),
            output=self.outputs.get(item["call_id"], NO_OUTPUT),
        )


def turns(items: Iterable[Any]) -> Iterator[TranscriptMessage | AssistantTurn]:
    """`items`: in the SDK's form. Reasoning without a following item, and outputs without a call, are left out."""
    turn = _Turn()
    for item in cast(Iterable[dict[str, Any]], items):
        kind, role = item.get("type") or "message", item.get("role")
        if turn.outputs and (kind in ("reasoning", "function_call") or role == "assistant"):
            yield turn.whole()
            turn = _Turn()
        if kind == "reasoning":
            turn.think(item)
        elif kind == "function_call":
            turn.call(item)
        elif kind == "function_call_output":
            turn.add_output(item)
        elif role == "assistant":
            turn.say(TranscriptMessage("assistant", item.get("content"), _item_id(item)))
        elif kind == "message":
            if turn.messages or turn.calls:
                yield turn.whole()
            turn = _Turn()
            yield TranscriptMessage(str(role), item.get("content"))
    if turn.messages or turn.calls:
        yield turn.whole()


def wire_id(call: TranscriptCall, provider: str, taken: set[str]) -> str:
    """The id of a call and its output on the wire: the server's own, if it gave one that is not taken."""
    own = call.data.get("call_id") if call.data.get("provider") == provider else None
    candidates = chain([own or call.call_id, call.call_id], (f"{call.call_id}_{number}" for number in count(2)))
    chosen = next(candidate for candidate in candidates if candidate not in taken)
    taken.add(chosen)
    return chosen


def text_of(content: Any) -> str:
    """The text of a message's content, of an output or of a summary: text, or a list of parts."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    parts = [cast(dict[str, Any], part) for part in cast(list[Any], content) if isinstance(part, dict)]
    return "".join(str(part.get("text") or part.get("refusal") or "") for part in parts)


def _data(item: dict[str, Any]) -> dict[str, Any]:
    data = item.get("provider_data")
    return cast(dict[str, Any], data) if isinstance(data, dict) else {}


def _item_id(item: dict[str, Any]) -> str | None:
    item_id = item.get("id")
    return item_id if item_id and item_id != FAKE_RESPONSES_ID else None
