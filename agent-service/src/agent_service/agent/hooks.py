"""The model's answer is stored before its tools run, so that a crash in between never makes them run twice."""

from typing import Any

from agents import Agent, RunHooks
from agents.items import ModelResponse, TResponseInputItem
from agents.run_context import RunContextWrapper

from agent_service.agent.context import RunContext, Turn
from agent_service.repository import Answer, Call
from agent_service.repository.values import plain_text
from agent_service.tools import needs_word
from contracts.run_events import MessageDone, ToolArgs, ToolCallBegan, Usage


class StoringHooks(RunHooks[RunContext]):
    async def on_llm_end(
        self, context: RunContextWrapper[RunContext], agent: Agent[RunContext], response: ModelResponse
    ) -> None:
        del agent
        await store_answer(context.context, response)


async def store_answer(context: RunContext, response: ModelResponse) -> None:
    """Raises `LostRun` where the run is another worker's by now: then no tool may run here."""
    turn = context.turn
    context.seen.answered()
    items = response.to_input_items()
    calls = [_call(context, item) for item in _of_type(items, "function_call")]
    text = plain_text(_text(items))
    await context.progress.store_answer(
        context.run,
        Answer(
            message_id=turn.message_id,
            parent_id=context.parent_id,
            text=text,
            items=items,
            seq=context.take_places(len(items)),
            calls=calls,
            usage=Usage(
                input_tokens=response.usage.input_tokens,
                output_tokens=response.usage.output_tokens,
                requests=response.usage.requests,
            ),
        ),
    )
    context.parent_id = turn.message_id
    context.turn = Turn()
    context.waiting.update(call.call_id for call in calls if call.waits)
    if text:
        context.stream.emit(MessageDone(message_id=turn.message_id, text=text))
    for call in calls:
        if call.call_id not in turn.announced:  # a model that does not stream its calls
            context.stream.emit(ToolCallBegan(call_id=call.call_id, name=call.name))
            context.stream.emit(ToolArgs(call_id=call.call_id, delta=call.arguments))


def _call(context: RunContext, item: dict[str, Any]) -> Call:
    name = plain_text(item["name"])
    return Call(item["call_id"], name, plain_text(item["arguments"]), waits=needs_word(context.run, name))


def _of_type(items: list[TResponseInputItem], kind: str) -> list[Any]:
    return [item for item in items if item.get("type") == kind]


def _text(items: list[TResponseInputItem]) -> str:
    messages = _of_type(items, "message")
    parts: list[dict[str, str]] = [part for message in messages for part in message["content"]]
    return "".join(part.get("text") or part.get("refusal") or "" for part in parts)
