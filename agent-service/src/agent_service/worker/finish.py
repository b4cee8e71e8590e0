"""Ends a run: first in the database, so that the conversation accepts a new message when the user sees the end; then
with the event `done`, exactly once."""

from dataclasses import dataclass

from pydantic import JsonValue

from agent_service.agent.context import RunContext
from agent_service.agent.hooks import store_final_message
from agent_service.agent.session import ConversationSession
from agent_service.errors import ModelFailed
from agent_service.repository import AssistantMessage, ProgressRepository, RequestedCall
from agent_service.signals import Signals
from agent_service.tools import fail_call
from contracts.chat import RunError
from contracts.run_events import Done, FinalStatus, MessageDone, RunFailed, ToolDone, Usage

NOT_RUN = "The run ended before this was done."


@dataclass(frozen=True)
class RunOutcome:
    """`finish_reason`: why the model's last response ended; None unless the run completed."""

    status: FinalStatus
    failed: ModelFailed | None = None
    finish_reason: str | None = None

    @property
    def error(self) -> RunError | None:
        if self.failed is None:
            return None
        return RunError(code=self.failed.code, message=self.failed.message, retryable=self.failed.retryable)


async def finish(progress: ProgressRepository, signals: Signals, context: RunContext, outcome: RunOutcome) -> None:
    run = context.run
    if outcome.status == "completed":
        message = context.final_message
        spent = message.usage if message is not None else dict[str, Usage]()
    else:
        await store_final_message(context)
        message = await _interrupted_message(context)
        spent = context.incoming.usage(context.model)
    usage = await progress.finish(
        run, outcome.status, outcome.error, outcome.finish_reason, context.model, message=message, spent=spent
    )
    if message is not None and message.text:
        context.publisher.emit(MessageDone(message_id=message.message_id, text=message.text))
    if outcome.error is not None:
        _publish_error(context, outcome.error)
    await signals.run_changed(run.user_id, run.id, run.conversation_id, outcome.status)
    await _publish_done(progress, context, outcome.status, usage, outcome.finish_reason)


async def finish_again(progress: ProgressRepository, context: RunContext, *, done_published: bool) -> None:
    """For a run that an earlier worker ended in the database, but died before `done` was published or marked so."""
    run = context.run
    if not done_published:
        if run.error is not None:
            _publish_error(context, run.error)
        assert run.status in ("completed", "failed", "cancelled")
        await _publish_done(progress, context, run.status, run.usage, run.finish_reason)
    else:
        await progress.close(run, context.publisher.last)


def _publish_error(context: RunContext, error: RunError) -> None:
    context.publisher.emit(RunFailed.model_validate(error.model_dump()))


async def _publish_done(
    progress: ProgressRepository, context: RunContext, status: FinalStatus, usage: Usage, finish_reason: str | None
) -> None:
    context.publisher.emit(Done(status=status, usage=usage, finish_reason=finish_reason))
    await context.publisher.flush()
    await progress.close(context.run, context.publisher.last)


async def _interrupted_message(context: RunContext) -> AssistantMessage | None:
    """Fails the calls that will not be made any more. Returns the message that was streaming in, if it has any text."""
    if not context.next_item:  # the run ends before its session was loaded
        await ConversationSession(context).load(window=0)
    record = await context.records.of_run(context.run.user_id, context.run.id)
    for call in record.calls:
        if call.status == "running":
            await fail_call(context, RequestedCall(call.call_id, call.name, call.arguments), NOT_RUN)
    incoming = context.incoming
    for call_id in incoming.announced.keys() - {call.call_id for call in record.calls}:  # calls still streaming in
        result: JsonValue = {"error": {"code": "cancelled", "message": NOT_RUN}}
        name = incoming.announced[call_id]
        context.publisher.emit(
            ToolDone(call_id=call_id, name=name, status="error", arguments={}, result=result, duration_ms=0)
        )
    if not incoming.text or incoming.message_id in {message.id for message in record.messages}:
        return None
    return AssistantMessage(
        message_id=incoming.message_id,
        parent_id=context.parent_id,
        model=context.model,
        text=incoming.text,
        items=[{"role": "assistant", "content": incoming.text}],
        seq=context.reserve_items(1),
        calls=[],
        usage=context.incoming.usage(context.model),
    )
