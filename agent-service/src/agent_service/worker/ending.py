"""The end of a run: stored first, so that the conversation is free when the user hears of it; then told, once."""

from dataclasses import dataclass
from typing import Literal

from pydantic import JsonValue

from agent_service.agent.context import RunContext
from agent_service.agent.session import ConversationSession
from agent_service.errors import ModelFailed
from agent_service.repository import Answer, Call, ProgressRepository
from agent_service.signals import Signals
from agent_service.tools import failed_call
from contracts.chat import RunError
from contracts.run_events import Done, MessageDone, RunFailed, ToolDone, Usage

NOT_RUN = "The run ended before this was done."


@dataclass(frozen=True)
class Outcome:
    status: Literal["completed", "failed", "cancelled"]
    failed: ModelFailed | None = None

    @property
    def error(self) -> RunError | None:
        if self.failed is None:
            return None
        return RunError(code=self.failed.code, message=self.failed.message, retryable=self.failed.retryable)

    @property
    def finish_reason(self) -> str | None:
        return "stop" if self.status == "completed" else None


async def end(progress: ProgressRepository, signals: Signals, context: RunContext, outcome: Outcome) -> None:
    run = context.run
    partial = None if outcome.status == "completed" else await _broken_off(context)
    usage = await progress.finish(run, outcome.status, outcome.error, outcome.finish_reason, partial)
    if partial is not None:
        context.stream.emit(MessageDone(message_id=partial.message_id, text=partial.text))
    if outcome.failed is not None:
        _tell_failure(context, outcome.failed.code, outcome.failed.message, retryable=outcome.failed.retryable)
    await signals.run_changed(run.user_id, run.id, run.conversation_id, outcome.status)
    await _tell_done(progress, context, outcome.status, usage, outcome.finish_reason)


async def end_again(progress: ProgressRepository, context: RunContext, *, done_told: bool) -> None:
    """For a run that ended under a worker that died before everybody had heard of it."""
    run = context.run
    if not done_told:
        if run.error is not None:
            _tell_failure(context, run.error.code, run.error.message, retryable=run.error.retryable)
        assert run.status in ("completed", "failed", "cancelled")
        await _tell_done(progress, context, run.status, run.usage, run.finish_reason)
    else:
        await progress.close(run, context.stream.last)


def _tell_failure(context: RunContext, code: str, message: str, *, retryable: bool) -> None:
    context.stream.emit(RunFailed.model_validate({"code": code, "message": message, "retryable": retryable}))


async def _tell_done(
    progress: ProgressRepository,
    context: RunContext,
    status: Literal["completed", "failed", "cancelled"],
    usage: Usage,
    finish_reason: str | None,
) -> None:
    context.stream.emit(Done(status=status, usage=usage, finish_reason=finish_reason))
    await context.stream.settled()
    await progress.close(context.run, context.stream.last)


async def _broken_off(context: RunContext) -> Answer | None:
    """Settles calls that nothing will come of any more; answers the text that was on its way, if any."""
    if not context.seq:  # it was over before it began
        await ConversationSession(context).load()
    record = await context.record.of_run(context.run.user_id, context.run.id)
    for call in record.calls:
        if call.status == "running":
            await failed_call(context, Call(call.call_id, call.name, call.arguments), NOT_RUN)
    turn = context.turn
    for call_id in turn.announced.keys() - {call.call_id for call in record.calls}:  # its arguments never came whole
        result: JsonValue = {"error": {"code": "cancelled", "message": NOT_RUN}}
        name = turn.announced[call_id]
        context.stream.emit(
            ToolDone(call_id=call_id, name=name, status="error", arguments={}, result=result, duration_ms=0)
        )
    if not turn.text or turn.message_id in {message.id for message in record.messages}:
        return None
    items = [{"role": "assistant", "content": turn.text}]
    return Answer(turn.message_id, context.parent_id, turn.text, items, context.take_places(1), calls=[], usage=Usage())
