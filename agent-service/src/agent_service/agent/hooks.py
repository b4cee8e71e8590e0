"""Stores the model's response before its tools run, so that a crash in between never makes them run twice. One without
calls is the last, and is stored with the end of the run."""

from typing import Any

from agents import Agent, RunHooks
from agents.items import ModelResponse, TResponseInputItem
from agents.run_context import RunContextWrapper

from agent_service.agent.context import IncomingMessage, RunContext
from agent_service.call_arguments import raw_arguments
from agent_service.repository import AssistantMessage, RequestedCall
from agent_service.repository.values import plain_text
from agent_service.tools import IMPLEMENTATIONS, perform, requires_approval
from contracts.run_events import MessageDone, ToolArgs, ToolCallBegan, Usage


class StoringHooks(RunHooks[RunContext]):
    async def on_llm_start(
        self,
        context: RunContextWrapper[RunContext],
        agent: Agent[RunContext],
        system_prompt: str | None,
        input_items: list[TResponseInputItem],
    ) -> None:
        del agent, system_prompt, input_items
        await store_final_message(context.context)

    async def on_llm_end(
        self, context: RunContextWrapper[RunContext], agent: Agent[RunContext], response: ModelResponse
    ) -> None:
        del agent
        await store_response(context.context, response)


async def store_response(context: RunContext, response: ModelResponse) -> None:
    """Raises `LeaseLost` if the run has been claimed by another worker: then no tool may run here."""
    incoming = context.incoming
    context.read_versions.model_responded()
    items = response.to_input_items()
    calls = [_requested_call(context, item) for item in _of_type(items, "function_call")]
    text = plain_text(_text(items))
    usage = Usage(
        input_tokens=response.usage.input_tokens,
        output_tokens=response.usage.output_tokens,
        requests=response.usage.requests,
    )
    message = AssistantMessage(
        message_id=incoming.message_id,
        parent_id=context.parent_id,
        model=context.model,
        text=text,
        items=items,
        seq=context.reserve_items(len(items)),
        calls=calls,
        usage=incoming.with_spent(context.model, context.priced(usage)),
    )
    context.parent_id = incoming.message_id
    context.incoming = IncomingMessage()
    if not calls:
        context.final_message = message
        return
    await _store(context, message)
    context.pending_calls.update(call.call_id for call in calls if call.requires_approval)
    for call in calls:
        if call.call_id not in incoming.announced:  # the model did not stream this call
            context.publisher.emit(ToolCallBegan(call_id=call.call_id, name=call.name))
            context.publisher.emit(ToolArgs(call_id=call.call_id, delta=call.arguments))
    for call in calls:
        if call.name not in IMPLEMENTATIONS:  # the SDK tells the model, but ends no call
            await perform(context, call, None)


async def store_final_message(context: RunContext) -> None:
    """Stores a response without calls that turned out not to end the run by itself, if there is one."""
    message, context.final_message = context.final_message, None
    if message is not None:
        await _store(context, message)


async def _store(context: RunContext, message: AssistantMessage) -> None:
    await context.progress.store_message(context.run, message)
    if message.text:
        context.publisher.emit(MessageDone(message_id=message.message_id, text=message.text))


def _requested_call(context: RunContext, item: dict[str, Any]) -> RequestedCall:
    name = plain_text(item["name"])
    return RequestedCall(
        item["call_id"],
        name,
        plain_text(raw_arguments(item)),
        requires_approval=requires_approval(context.run, name),
    )


def _of_type(items: list[TResponseInputItem], kind: str) -> list[Any]:
    return [item for item in items if item.get("type") == kind]


def _text(items: list[TResponseInputItem]) -> str:
    messages = _of_type(items, "message")
    parts: list[dict[str, str]] = [part for message in messages for part in message["content"]]
    return "".join(part.get("text") or part.get("refusal") or "" for part in parts)
