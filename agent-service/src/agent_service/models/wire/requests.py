"""Encodes a request in each wire format: the conversation and the offered tools."""

from dataclasses import dataclass, field
from typing import Any

from agents import FunctionTool, ModelSettings

from agent_service.models.wire.dialect import SYSTEM_ROLE, Form, without
from agent_service.models.wire.transcript import (
    AssistantTurn,
    TranscriptCall,
    TranscriptMessage,
    TranscriptReasoning,
    text_of,
    turns,
    wire_id,
)


@dataclass(frozen=True)
class ModelRequest:
    """`items`: the conversation in the SDK's form. `provider`: the server; it gets only its own provider data back.
    `form`: what the server takes of a request."""

    model: str
    provider: str
    instructions: str | None
    items: list[Any]
    tools: list[FunctionTool]
    settings: ModelSettings
    form: Form = field(default_factory=Form)

    @property
    def omits_instructions(self) -> bool:
        """Whether the server takes instructions only as the user's words."""
        return not {SYSTEM_ROLE, "instructions"}.isdisjoint(self.form.omitted)


def chat_completions_body(request: ModelRequest) -> dict[str, Any]:
    body: dict[str, Any] = {"model": request.model, "messages": _messages(request), "stream": True}
    body["stream_options"] = {"include_usage": True}
    if request.tools:
        body["tools"] = [{"type": "function", "function": _function(tool)} for tool in request.tools]
    reasoning = request.settings.reasoning
    if reasoning is not None and reasoning.effort is not None:
        body["reasoning_effort"] = reasoning.effort
    if request.settings.verbosity is not None:
        body["verbosity"] = request.settings.verbosity
    return without(body, request.form)


def responses_body(request: ModelRequest) -> dict[str, Any]:
    body: dict[str, Any] = {"model": request.model, "input": _input(request), "stream": True}
    if request.instructions and not request.omits_instructions:
        body["instructions"] = request.instructions
    if request.tools:
        body["tools"] = [{"type": "function", **_function(tool), "strict": False} for tool in request.tools]
    if request.settings.reasoning is not None:
        body["reasoning"] = request.settings.reasoning.model_dump(exclude_none=True, warnings=False)
    if request.settings.verbosity is not None:
        body["text"] = {"verbosity": request.settings.verbosity}
    return without(body, request.form)


def _function(tool: FunctionTool) -> dict[str, Any]:
    """Not strict, because our tools have optional arguments, which a strict schema does not allow."""
    return {"name": tool.name, "description": tool.description, "parameters": tool.params_json_schema}


def _messages(request: ModelRequest) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    if request.instructions and not request.omits_instructions:
        messages.append({"role": "system", "content": request.instructions})
    if request.form.has_plain_history:
        return messages + _plain_messages(request)
    for turn in turns(request.items):
        if isinstance(turn, TranscriptMessage):
            messages.append({"role": turn.role, "content": text_of(turn.content)})
        else:
            messages += _assistant_messages(turn, request.provider)
    return _with_instructions(request, messages)


def _plain_messages(request: ModelRequest) -> list[dict[str, Any]]:
    """The conversation as text of two roles that take turns; the user begins, and has the last word."""
    texts: list[tuple[str, str]] = []
    for turn in turns(request.items):
        if isinstance(turn, TranscriptMessage):
            texts.append(("assistant" if turn.role == "assistant" else "user", text_of(turn.content)))
            continue
        calls = [part for part in turn.calls if isinstance(part, TranscriptCall)]
        texts += [("assistant", turn.text), *(("assistant", f"[{call.name} {call.arguments}]") for call in calls)]
        texts += [("user", f"[{call.name} returned: {call.output}]") for call in calls]
    messages: list[dict[str, Any]] = []
    for role, text in texts:
        if messages and messages[-1]["role"] == role and text:
            messages[-1]["content"] += f"\n\n{text}"
        elif text and (messages or role == "user"):
            messages.append({"role": role, "content": text})
    return _with_instructions(request, messages)


def _with_instructions(request: ModelRequest, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Puts the instructions before the user's first words, if the server takes them nowhere else."""
    if not request.instructions or not request.omits_instructions:
        return messages
    if messages and messages[0].get("role") == "user":
        first = f"{request.instructions}\n\n{text_of(messages[0]['content'])}"
        return [{"role": "user", "content": first}, *messages[1:]]
    return [{"role": "user", "content": request.instructions}, *messages]


def _assistant_messages(turn: AssistantTurn, provider: str) -> list[dict[str, Any]]:
    """The response's message, and a message for each tool output."""
    message: dict[str, Any] = {"role": "assistant", "content": turn.text or None}
    calls = [part for part in turn.calls if isinstance(part, TranscriptCall)]
    if not calls:
        return [message] if turn.text else []
    for part in (*turn.messages, *turn.calls):
        if isinstance(part, TranscriptReasoning) and part.data.get("provider") == provider:
            message |= _reasoning(part)
    taken: set[str] = set()
    named = [(wire_id(call, provider, taken), call) for call in calls]
    message["tool_calls"] = [
        {
            "id": call_id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
            **(call.data.get("extra", {}) if call.data.get("provider") == provider else {}),
        }
        for call_id, call in named
    ]
    outputs = [{"role": "tool", "tool_call_id": call_id, "content": call.output} for call_id, call in named]
    return [message, *outputs]


def _reasoning(part: TranscriptReasoning) -> dict[str, Any]:
    """In the field in which the server sent it; reasoning in the text or between tags is not sent back."""
    if details := part.data.get("details"):
        return {"reasoning_details": details}
    field = part.data.get("field")
    return {field: part.text} if field in ("reasoning_content", "reasoning") and part.text else {}


def _input(request: ModelRequest) -> list[dict[str, Any]]:
    if request.form.has_plain_history:
        return _plain_messages(request)
    items: list[dict[str, Any]] = []
    taken: set[str] = set()
    for turn in turns(request.items):
        if isinstance(turn, TranscriptMessage):
            items.append({"role": turn.role, "content": turn.content})
            continue
        outputs: list[dict[str, Any]] = []
        for part in (*turn.messages, *turn.calls):
            match part:
                case TranscriptMessage():
                    items.append(_response_message(part))
                case TranscriptReasoning():
                    if not part.data:  # otherwise it is of another format
                        items.append(part.item)
                case TranscriptCall():
                    call_id = wire_id(part, request.provider, taken)
                    call = {"type": "function_call", "call_id": call_id, "name": part.name}
                    call |= {"arguments": part.arguments} | ({"id": part.item_id} if part.item_id else {})
                    items.append(call)
                    outputs.append({"type": "function_call_output", "call_id": call_id, "output": part.output})
        items += outputs
    return _with_instructions(request, items)


def _response_message(message: TranscriptMessage) -> dict[str, Any]:
    """An earlier response; in the server's own form within the run to which it belongs."""
    text = text_of(message.content)
    if message.item_id is None:
        return {"role": "assistant", "content": text}
    part = {"type": "output_text", "text": text, "annotations": list[Any]()}
    return {"id": message.item_id, "type": "message", "role": "assistant", "status": "completed", "content": [part]}
