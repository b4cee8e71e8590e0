"""One attempt of one run, from its first event to `done`."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import structlog
from agents import Agent, MaxTurnsExceeded, RunConfig, Runner
from nats.aio.client import Client

from agent_service.agent.context import RunContext
from agent_service.agent.hooks import StoringHooks
from agent_service.agent.prompt import prompt
from agent_service.agent.session import ConversationSession
from agent_service.errors import LostRun, ModelFailed
from agent_service.models import ListeningModel, ModelChoice, causes, explained
from agent_service.repository import (
    ApprovalRepository,
    ClaimedRun,
    ProgressRepository,
    RecordRepository,
    RetainedEventRepository,
)
from agent_service.signals import Signals
from agent_service.stream import Acks, RunStream
from agent_service.tools import sdk_tools
from agent_service.worker.control import Control
from agent_service.worker.ending import Outcome, end, end_again
from agent_service.worker.overview import Known, look_around
from agent_service.worker.pause import pause
from agent_service.worker.takeover import CaughtUp, catch_up, settle_calls
from contracts.run_events import RunBegan

log = structlog.stdlib.get_logger()

MAX_TURNS = 20
MAX_READYING = 2
"""Runs that get ready for their model at a time: all at once, they would hold up what is answered already."""
MAX_CRASHES = 25
"""Workers that one run may wear out before it is given up."""
RUN_CONFIG = RunConfig(tracing_disabled=True, tool_not_found_behavior="return_error_to_model")
NOBODY = "No part of Inkstream was free to answer in time. Try again in a moment."
WORN_OUT = "The answer could not be finished, however often it was tried."


@dataclass(frozen=True)
class Workshop:
    """What every execution needs."""

    nc: Client
    acks: Acks
    progress: ProgressRepository
    approvals: ApprovalRepository
    record: RecordRepository
    kept: RetainedEventRepository
    signals: Signals
    choice: ModelChoice
    ready: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_READYING))


async def execute(shop: Workshop, run: ClaimedRun, control: Control) -> None:
    """Works on a claimed run until it is over or waits for a person. Raises `LostRun` where another worker has it."""
    status = shop.choice.status
    began = RunBegan(run_id=run.id, conversation_id=run.conversation_id, model=status.model, mode=status.mode)
    earlier = await catch_up(shop.nc, shop.record, shop.kept, run, began) if run.attempt > 1 else None
    stream = RunStream(shop.acks, run.user_id, run.id, run.attempt, earlier.last if earlier else 0)
    async with stream.publishing():
        context = RunContext(
            nc=shop.nc,
            run=run,
            stream=stream,
            progress=shop.progress,
            record=shop.record,
            parent_id=run.message_id,
            taken_over=earlier is not None,
        )
        if earlier is None:
            stream.emit(began)
        else:
            earlier.tell(context)
        if run.status in ("completed", "failed", "cancelled"):
            await end_again(shop.progress, context, done_told=earlier is not None and earlier.told.done)
            return
        outcome = await _outcome(shop, context, control, earlier)
        if outcome is None:
            await pause(shop.nc, shop.approvals, shop.kept, shop.signals, context)
        else:
            await end(shop.progress, shop.signals, context, outcome)


async def _outcome(shop: Workshop, context: RunContext, control: Control, earlier: CaughtUp | None) -> Outcome | None:
    """How it ended, or None where it waits for a person; a failure of the model is an outcome, not an error."""
    run = context.run
    if run.overdue:
        return Outcome("failed", ModelFailed("internal", NOBODY, retryable=True))
    if run.crashes >= MAX_CRASHES:
        return Outcome("failed", ModelFailed("internal", WORN_OUT, retryable=False))
    if control.cancelled:
        return Outcome("cancelled")
    try:
        await _answer(shop, context, control, earlier)
    except LostRun:
        raise
    except Exception as error:
        if any(isinstance(cause, LostRun) for cause in causes(error)):
            raise LostRun from error
        if not control.cancelled:
            failed = explained(error)
            if failed.code == "internal":
                log.exception("run failed", run_id=run.id)
            return Outcome("failed", failed)
    if control.cancelled:
        return Outcome("cancelled")
    return None if context.waiting else Outcome("completed")


async def _answer(shop: Workshop, context: RunContext, control: Control, earlier: CaughtUp | None) -> None:
    """Until the model has nothing to add, or has asked for what a person must allow."""
    session = ConversationSession(context)
    turns = MAX_TURNS
    known = await look_around(shop.nc, context.run, session.load())
    # to calls that an earlier attempt left, an earlier prompt had named the notes
    context.seen.named(known.versions(before=context.run.created_at if earlier else None))
    if earlier is not None:
        await settle_calls(context, session, earlier.record)
        if context.waiting or session.answer_is_whole:
            return
        turns -= len(earlier.record.messages)
        if turns <= 0:
            raise MaxTurnsExceeded(f"{MAX_TURNS} turns")
    with context.getting_ready:
        await shop.ready.acquire()
        context.getting_ready.callback(shop.ready.release)
        nothing_new: list[Any] = []  # the user's message is in the session since it was sent
        result = Runner.run_streamed(
            _assistant(shop, context, known),
            nothing_new,
            context=context,
            max_turns=turns,
            hooks=StoringHooks(),
            run_config=RUN_CONFIG,
            session=session,
        )
        control.hold(result, context)
        async for _ in result.stream_events():
            pass


def _assistant(shop: Workshop, context: RunContext, known: Known) -> Agent[RunContext]:
    return Agent(
        name="Inkstream",
        instructions=prompt(context.run, known.overview, known.opened),
        tools=sdk_tools(context.run),
        model=ListeningModel(shop.choice, context),
        model_settings=shop.choice.settings,
    )
