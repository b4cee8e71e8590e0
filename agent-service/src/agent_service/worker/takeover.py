"""Continues a run that another worker had before: one that died, or that let the run wait for approval.

Invariant: after `take_over`, the stream and the retained events hold every number from 1 to `last` exactly once as far
as readers see them, and no event of an older attempt can appear after the marker that this attempt has written as
`last`.

Why it holds: the marker is written with `Nats-Expected-Last-Subject-Sequence`, the stream sequence of the newest event
that was read. If the older worker has published anything since, JetStream refuses the marker, and everything is read
again. What the older worker publishes after the marker carries a lower attempt number; readers, and `read_published`
itself, drop such events. Numbers that are nowhere (published, but never stored) are filled with empty tokens first,
because readers pass on contiguous numbers only and would wait for them for ever.

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
    MessageDone,
    NotesChanged,
    Restarted,
    RunBegan,
    RunEvent,
    Token,
    ToolArgs,
    ToolCallBegan,
    ToolDone,
)


@dataclass(frozen=True)
class TakenOver:
    """`last`: the number after which the new attempt's events continue."""

    last: int
    published: PublishedEvents
    record: RunRecord

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
    """Reads what was published, and writes the marker that begins this attempt."""
    record = await records.of_run(run.user_id, run.id)
    prefix = await retained.prefix(run)
    while True:
        published = await read_published(nc, run.user_id, run.id, run.last_event_id, prefix)
        if published.done:
            return TakenOver(published.last, published, record)
        if await _write_marker(nc, run, published, began):
            return TakenOver(published.last + 1, published, record)


async def _write_marker(nc: Client, run: ClaimedRun, published: PublishedEvents, began: RunBegan) -> bool:
    """Fills the missing numbers, then writes the marker as the next one. False if another worker has written since."""
    # after a wait for approval nothing was lost: the marker is an event without effect
    marker = Restarted(attempt=run.attempt) if run.crashes else Token(token="")
    after = published.stream_sequence
    for number in (*published.missing, published.last + 1):
        event = began if number == 1 else marker if number > published.last else Token(token="")
        envelope = Envelope.of(number, run.attempt, event)
        sequence = await write_fenced(nc, run.user_id, run.id, envelope, after)
        if sequence is None:
            return False
        after = sequence
    return True


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
