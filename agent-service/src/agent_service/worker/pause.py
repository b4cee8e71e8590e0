"""A run that must wait for a person: they are asked, and the worker lets it go."""

from nats.aio.client import Client

from agent_service.agent.context import RunContext
from agent_service.repository import ApprovalRepository, RetainedEventRepository
from agent_service.repository.values import parsed_or_text
from agent_service.signals import Signals
from agent_service.stream import read_events
from agent_service.worker.jobs import Job, offer_job
from contracts.run_events import ApprovalRequired, CallWaiting


async def pause(
    nc: Client, approvals: ApprovalRepository, kept: RetainedEventRepository, signals: Signals, context: RunContext
) -> None:
    """Asks for the decisions that were not asked for yet. Where one came already, the run is offered again at once.

    What was told is kept before: people may think for longer than the stream remembers.
    """
    run = context.run
    record = await context.record.of_run(run.user_id, run.id)
    calls = [
        CallWaiting(call_id=call.call_id, name=call.name, arguments=parsed_or_text(call.arguments))
        for call in record.waiting
        if call.call_id not in context.asked
    ]
    if calls:
        context.stream.emit(ApprovalRequired(calls=calls))
    await context.stream.settled()
    first = 1 + await kept.last(run)
    await kept.keep(run, await read_events(nc, run.user_id, run.id, first, context.stream.last))
    if await approvals.wait(run, context.stream.last):
        await signals.run_changed(run.user_id, run.id, run.conversation_id, "waiting")
    else:
        await offer_job(nc, Job(run_id=run.id, user_id=run.user_id), f"decided during {run.attempt}")
