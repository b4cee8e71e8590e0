"""One attempt of one run, from its first event to `done`."""

from contextlib import suppress
from copy import copy
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import structlog
from agents import Agent, MaxTurnsExceeded, RunConfig, Runner
from nats.aio.client import Client

from agent_service.agent.context import RunContext
from agent_service.agent.hooks import StoringHooks
from agent_service.agent.prompt import prompt
from agent_service.agent.session import ConversationSession
from agent_service.errors import LeaseLost, ModelFailed
from agent_service.models import SelectedModel, SelectedModels, StreamingModel, cause_chain, to_model_failure
from agent_service.repository import (
    ApprovalRepository,
    ClaimedRun,
    ProgressRepository,
    RetainedEventRepository,
    RunRecordRepository,
)
from agent_service.signals import Signals
from agent_service.stream import EventPublisher, RunPublisher
from agent_service.tools import sdk_tools, tools_requiring_approval, unknown_tool
from agent_service.worker.cancellation import Cancellation
from agent_service.worker.finish import RunOutcome, finish, finish_again
from agent_service.worker.pause import pause
from agent_service.worker.prompt_context import PromptContext, load_prompt_context
from agent_service.worker.takeover import TakenOver, make_missing_calls, take_over
from contracts.run_events import EventId, RunBegan
from servicekit.background import LoopHealth
from servicekit.fair_share import FairShare

log = structlog.stdlib.get_logger()

MAX_TURNS = 20
MAX_PREPARING = 2
"""Runs that are prepared for their model at the same time, in turns of their users: more would delay the tokens of
those already streaming."""
MAX_CRASHES = 25
"""Attempts without a result after which a run fails."""
RUN_CONFIG = RunConfig(
    tracing_disabled=True,
    tool_not_found_behavior="return_error_to_model",
    tool_error_formatter=lambda error: unknown_tool(error.tool_name) if error.kind == "tool_not_found" else None,
)
HOOKS = StoringHooks()
MAX_PREPARED_AGENTS = 64
"""By the tools that require approval: three policies, and what users have allowed in conversations."""
NO_WORKER = "No part of Inkstream was free to answer in time. Try again in a moment."
TOO_MANY_CRASHES = "The answer could not be finished, however often it was tried."


@dataclass(frozen=True)
class WorkerDeps:
    """What every execution uses. One for the process."""

    nc: Client
    loops: LoopHealth
    events: EventPublisher
    progress: ProgressRepository
    approvals: ApprovalRepository
    records: RunRecordRepository
    retained: RetainedEventRepository
    signals: Signals
    models: SelectedModels
    preparing: FairShare = field(default_factory=lambda: FairShare(MAX_PREPARING, MAX_PREPARING))


async def execute(deps: WorkerDeps, run: ClaimedRun, cancellation: Cancellation) -> None:
    """Works on a claimed run until it is over or waits for approval. Raises `LeaseLost` if another worker claims it."""
    status = deps.models.answering(run.model).current_status()
    began = RunBegan(run_id=run.id, conversation_id=run.conversation_id, model=status.model, mode=status.mode)
    earlier = await take_over(deps.nc, deps.records, deps.retained, run, began) if run.attempt > 1 else None
    last, sequence = (earlier.last, earlier.stream_sequence) if earlier else (EventId(run.attempt, 0), 0)
    publisher = RunPublisher(deps.events, run.user_id, run.id, last, sequence)
    async with publisher.publishing():
        context = RunContext(
            nc=deps.nc,
            run=run,
            publisher=publisher,
            progress=deps.progress,
            records=deps.records,
            parent_id=run.message_id,
            model=(earlier and earlier.model) or status.model,
            taken_over=earlier is not None,
        )
        if earlier is None:
            publisher.emit(began)
        else:
            earlier.publish_missing(context)
        if run.status in ("completed", "failed", "cancelled"):
            done_published = earlier is not None and earlier.published.done
            await finish_again(deps.progress, context, done_published=done_published)
            return
        outcome = await _outcome(deps, context, cancellation, earlier)
        if outcome is None:
            await pause(deps.nc, deps.approvals, deps.retained, deps.signals, context)
        else:
            await finish(deps.progress, deps.signals, context, outcome)


async def _outcome(
    deps: WorkerDeps, context: RunContext, cancellation: Cancellation, earlier: TakenOver | None
) -> RunOutcome | None:
    """How the run ended, None if it waits for approval. A failure of the model is an outcome, not an error."""
    run = context.run
    if run.overdue:
        return RunOutcome("failed", ModelFailed("internal", NO_WORKER, retryable=True))
    if run.crashes >= MAX_CRASHES:
        return RunOutcome("failed", ModelFailed("internal", TOO_MANY_CRASHES, retryable=False))
    if cancellation.requested:
        return RunOutcome("cancelled")
    try:
        await _run_agent(deps, context, cancellation, earlier)
    except LeaseLost:
        raise
    except Exception as error:
        if any(isinstance(cause, LeaseLost) for cause in cause_chain(error)):
            raise LeaseLost from error
        if not cancellation.requested:
            failed = to_model_failure(error)
            if failed.code == "internal":
                log.exception("run failed", run_id=run.id)
            return RunOutcome("failed", failed)
    if cancellation.requested:
        return RunOutcome("cancelled")
    return None if context.pending_calls else RunOutcome("completed", finish_reason=context.finish_reason)


async def _run_agent(
    deps: WorkerDeps, context: RunContext, cancellation: Cancellation, earlier: TakenOver | None
) -> None:
    """Until the model has made its final message, or a call that requires approval."""
    session = ConversationSession(context)
    turns = MAX_TURNS
    loading = _load(session, deps.models.answering(context.run.model))
    prompt_context = await load_prompt_context(deps.nc, context.run, loading)
    # calls of an earlier attempt were made on an earlier prompt: only what has not changed since counts as read
    versions = prompt_context.versions(before=context.run.created_at if earlier else None)
    context.read_versions.add_prompt_versions(versions)
    if earlier is not None:
        await make_missing_calls(context, session, earlier.record)
        if session.is_complete:
            context.finish_reason = session.finish_reason
        if context.pending_calls or session.is_complete:
            return
        turns -= len(earlier.record.messages)
        if turns <= 0:
            raise MaxTurnsExceeded(f"{MAX_TURNS} turns")
    with context.preparation:
        await deps.preparing.enter(context.run.user_id)
        context.preparation.callback(deps.preparing.leave, context.run.user_id)
        no_new_items: list[Any] = []  # the user's message is in the session already
        result = Runner.run_streamed(
            _assistant(deps, context, prompt_context, earlier),
            no_new_items,
            context=context,
            max_turns=turns,
            hooks=HOOKS,
            run_config=RUN_CONFIG,
            session=session,
        )
        cancellation.attach(result, context)
        async for _ in result.stream_events():
            pass


async def _load(session: ConversationSession, selected: SelectedModel) -> None:
    with suppress(ModelFailed):  # the request to the model will say so
        await selected.look_up()
    await session.load(selected.window.tokens)


def _assistant(
    deps: WorkerDeps, context: RunContext, prompt_context: PromptContext, earlier: TakenOver | None
) -> Agent[RunContext]:
    agent = copy(_prepared_agent(tools_requiring_approval(context.run)))
    agent.instructions = prompt(context.run, prompt_context.overview, prompt_context.open_note)
    wrote = [message.model for message in earlier.record.messages] if earlier else []
    agent.model = StreamingModel(deps.models.chain(context.run.model), context, wrote)
    return agent


@lru_cache(MAX_PREPARED_AGENTS)
def _prepared_agent(requiring_approval: frozenset[str]) -> Agent[RunContext]:
    """An agent without its prompt and model. The SDK checks all fields of a new one, at a quarter of a millisecond."""
    return Agent(name="Inkstream", tools=[*sdk_tools(requiring_approval)])
