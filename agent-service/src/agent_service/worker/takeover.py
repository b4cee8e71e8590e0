"""Continues a run that another worker had before: one that died, or that let the run wait for approval.

Invariant: after `take_over` the log and the retained events hold a run's events from number 1 on without a gap, and the
log gets no event of an older attempt any more.

Why it holds: segments are stored in order by one worker each, so what is published has no gap inside. An attempt begins
with a segment that is stored only if the newest one is still that which was read here. If the older worker has written
since, that is refused, and all is read again; what it writes afterwards is refused in its turn, as it expects another
newest segment. What it has published live and never stored has ids of its attempt, which nobody uses again; readers
drop them when they see the beginning of this attempt.

After a wait for approval nothing was lost and nobody else writes: the events go on in the attempt of those before.

If the beginning is nowhere (a run outlived the log's retention, or the broker has lost its store), the new attempt
begins at number 1 again, with all that the database has.

What the database knows and the published events lack is published then (`publish_missing`), so readers end up with the
same messages and calls as the database.
"""

from dataclasses import dataclass

from nats.aio.client import Client

from agent_service.agent.context import RunContext
from agent_service.agent.session import ConversationSession
from agent_service.call_arguments import raw_arguments
from agent_service.repository import (
    ClaimedRun,
    RequestedCall,
    RetainedEventRepository,
    RunRecord,
    RunRecordRepository,
    StoredCall,
)
from agent_service.repository.values import parsed_or_text
from agent_service.stream import PublishedEvents, read_published, write_fenced
from agent_service.tools import IMPLEMENTATIONS, deny_call, perform
from contracts.run_events import (
    ApprovalDecided,
    ApprovalRequired,
    CallWaiting,
    Envelope,
    EventId,
    MessageDone,
    NotesChanged,
    Restarted,
    RunBegan,
    RunEvent,
    ToolArgs,
    ToolCallBegan,
    ToolDone,
)


@dataclass(frozen=True)
class TakenOver:
    """`last`: the event after which the worker's own continue; `stream_sequence`: of the segment with it."""

    last: EventId
    stream_sequence: int
    published: PublishedEvents
    record: RunRecord

    @property
    def model(self) -> str | None:
        """The id of the model that wrote the newest message."""
        return self.record.messages[-1].model if self.record.messages else None

    def publish_missing(self, context: RunContext) -> None:
        """Publishes what is in the database and not among the published events."""
        context.requested_approvals.update(self.published.approvals_requested)
        context.pending_calls.update(call.call_id for call in self.record.pending)
        for message in self.record.messages:
            context.parent_id = message.id
            if message.text and message.id not in self.published.messages:
                context.publisher.emit(MessageDone(message_id=message.id, text=message.text))
            for call in self.record.calls:
                if call.message_id == message.id:
                    self._publish_missing_of(context, call)

    def _publish_missing_of(self, context: RunContext, call: StoredCall) -> None:
        if call.call_id not in self.published.calls_begun:
            context.publisher.emit(ToolCallBegan(call_id=call.call_id, name=call.name))
            context.publisher.emit(ToolArgs(call_id=call.call_id, delta=call.arguments))
        if (decided := decision_event(call)) and call.call_id not in self.published.approvals_decided:
            context.publisher.emit(decided)
        if call.status == "running":
            return
        context.completed_calls.add(call.call_id)
        if call.call_id not in self.published.calls_done:
            for event in call_events(call):
                context.publisher.emit(event)


def decision_event(call: StoredCall) -> ApprovalDecided | None:
    """The user's decision on the call, None if there is none."""
    if call.decided_by is None:
        return None
    return ApprovalDecided(call_id=call.call_id, approve=call.approval == "approved", by=call.decided_by)


def approval_events(call: StoredCall) -> list[RunEvent]:
    """The request for approval of a call and the decision; empty if it required none."""
    if call.approval is None:
        return []
    waiting = CallWaiting(call_id=call.call_id, name=call.name, arguments=parsed_or_text(call.arguments))
    decided = decision_event(call)
    return [ApprovalRequired(calls=[waiting]), *([decided] if decided else [])]


def call_events(call: StoredCall) -> list[RunEvent]:
    """The events at the end of a stored call."""
    assert call.status != "running"
    events: list[RunEvent] = [
        ToolDone(
            call_id=call.call_id,
            name=call.name,
            status=call.status,
            arguments=parsed_or_text(call.arguments),
            result=call.result,
            duration_ms=call.duration_ms,
            truncated=call.truncated,
        )
    ]
    return [*events, NotesChanged(**call.change)] if call.change else events


async def take_over(
    nc: Client, records: RunRecordRepository, retained: RetainedEventRepository, run: ClaimedRun, began: RunBegan
) -> TakenOver:
    """Reads what was published, and begins a new attempt unless the run has waited."""
    record = await records.of_run(run.user_id, run.id)
    prefix = await retained.prefix(run)
    while True:
        published = await read_published(nc, run.user_id, run.id, prefix)
        is_whole = published.last.number > 0 and not published.has_gap
        if published.done or (is_whole and not run.crashes):
            return TakenOver(published.last, published.stream_sequence, published, record)
        marker = Restarted(attempt=run.attempt)
        if is_whole:
            first = [Envelope.of(published.last.number + 1, run.attempt, marker)]
        else:
            await retained.clear(run)
            first = [Envelope.of(1, run.attempt, began), Envelope.of(2, run.attempt, marker)]
        sequence = await write_fenced(nc, run.user_id, run.id, first, published.stream_sequence)
        if sequence is not None:
            return TakenOver(first[-1].id, sequence, published if is_whole else PublishedEvents(), record)


async def make_missing_calls(context: RunContext, session: ConversationSession, record: RunRecord) -> None:
    """Makes the stored calls that have no stored output, except those that wait for approval. A call that an earlier
    attempt has already made changes nothing again: its writes carry the same idempotency key."""
    stored = {call.call_id: call for call in record.calls}
    for item in session.calls_without_output:
        requested = RequestedCall(item["call_id"], item["name"], raw_arguments(item))
        call = stored.get(item["call_id"])
        if call is not None and call.is_pending:
            continue
        if call is not None and call.approval == "denied":
            output = await deny_call(context, requested, call.denied_because)
        else:
            output = await perform(context, requested, IMPLEMENTATIONS.get(requested.name))
        session.append({"type": "function_call_output", "call_id": requested.call_id, "output": output})
