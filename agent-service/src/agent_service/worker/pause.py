"""Lets a run wait for the user's approval: requests it and ends the lease."""

from nats.aio.client import Client

from agent_service.agent.context import RunContext
from agent_service.repository import ApprovalRepository, RetainedEventRepository
from agent_service.repository.values import parsed_or_text
from agent_service.signals import Signals
from agent_service.stream import read_events
from agent_service.worker.jobs import RunJob, try_publish_job
from contracts.run_events import ApprovalRequired, CallWaiting


async def pause(
    nc: Client,
    approvals: ApprovalRepository,
    retained: RetainedEventRepository,
    signals: Signals,
    context: RunContext,
) -> None:
    """Requests the approvals that have not been requested yet. If a decision has come already, the run is queued again.

    The events so far are copied to the database before: people may take longer to decide than the stream's retention.
    """
    run = context.run
    record = await context.records.of_run(run.user_id, run.id)
    calls = [
        CallWaiting(call_id=call.call_id, name=call.name, arguments=parsed_or_text(call.arguments))
        for call in record.pending
        if call.call_id not in context.requested_approvals
    ]
    if calls:
        context.publisher.emit(ApprovalRequired(calls=calls))
    await context.publisher.flush()
    first = 1 + (await retained.last(run)).number
    await retained.add(run, await read_events(nc, run.user_id, run.id, first, context.publisher.last.number))
    if await approvals.wait(run, context.publisher.last):
        await signals.run_changed(run.user_id, run.id, run.conversation_id, "waiting")
    else:
        await try_publish_job(nc, RunJob(run_id=run.id, user_id=run.user_id), f"decided during {run.attempt}")
