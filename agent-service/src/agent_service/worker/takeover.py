"""A run that another worker had before, and which died or had to wait for a person: what its readers have been told,
what they have not, and what is left to do."""

from dataclasses import dataclass

from nats.aio.client import Client

from agent_service.agent.context import RunContext
from agent_service.agent.session import ConversationSession
from agent_service.repository import Call, ClaimedRun, Record, RecordedCall, RecordRepository, RetainedEventRepository
from agent_service.repository.values import parsed_or_text
from agent_service.stream import Tail, read_tail, write_first
from agent_service.tools import TOOLS, denied_call, perform
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
class CaughtUp:
    """Where the new attempt's events go on: after number `last`."""

    last: int
    told: Tail
    record: Record

    def tell(self, context: RunContext) -> None:
        """Tells what the database knows and the readers do not."""
        context.asked.update(self.told.asked)
        context.waiting.update(call.call_id for call in self.record.waiting)
        for message in self.record.messages:
            context.parent_id = message.id
            if message.text and message.id not in self.told.messages:
                context.stream.emit(MessageDone(message_id=message.id, text=message.text))
            for call in self.record.calls:
                if call.message_id == message.id:
                    self._tell_call(context, call)

    def _tell_call(self, context: RunContext, call: RecordedCall) -> None:
        if call.call_id not in self.told.calls_begun:
            context.stream.emit(ToolCallBegan(call_id=call.call_id, name=call.name))
            context.stream.emit(ToolArgs(call_id=call.call_id, delta=call.arguments))
        if (decided := decision_event(call)) and call.call_id not in self.told.decided:
            context.stream.emit(decided)
        if call.status == "running":
            return
        context.answered.add(call.call_id)
        if call.call_id not in self.told.calls_done:
            for event in call_events(call):
                context.stream.emit(event)


def decision_event(call: RecordedCall) -> ApprovalDecided | None:
    """What the person has said to the call, if it was asked of them."""
    if call.decided_by is None:
        return None
    return ApprovalDecided(call_id=call.call_id, approve=call.approval == "approved", by=call.decided_by)


def approval_events(call: RecordedCall) -> list[RunEvent]:
    """How a call that needed the person's word was asked for and decided."""
    if call.approval is None:
        return []
    waiting = CallWaiting(call_id=call.call_id, name=call.name, arguments=parsed_or_text(call.arguments))
    decided = decision_event(call)
    return [ApprovalRequired(calls=[waiting]), *([decided] if decided else [])]


def call_events(call: RecordedCall) -> list[RunEvent]:
    """How the end of a stored call is told."""
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


async def catch_up(
    nc: Client, record: RecordRepository, kept: RetainedEventRepository, run: ClaimedRun, began: RunBegan
) -> CaughtUp:
    """Reads what was told, and writes the marker that this attempt begins, after which no older one is heard."""
    stored = await record.of_run(run.user_id, run.id)
    before = await kept.of_run(run)
    while True:
        tail = await read_tail(nc, run.user_id, run.id, run.last_event_id, before)
        if tail.done:
            return CaughtUp(tail.last, tail, stored)
        if await _mark(nc, run, tail, began):
            return CaughtUp(tail.last + 1, tail, stored)


async def _mark(nc: Client, run: ClaimedRun, tail: Tail, began: RunBegan) -> bool:
    """False where the old worker has written meanwhile. A number that was never stored, or that is kept nowhere any
    more, is filled: it would keep every later reader waiting."""
    marker = Restarted(attempt=run.attempt) if run.crashes else Token(token="")
    after = tail.stream_seq
    for number in (*tail.missing, tail.last + 1):
        event = began if number == 1 else marker if number > tail.last else Token(token="")
        envelope = Envelope.of(number, run.attempt, event)
        place = await write_first(nc, run.user_id, run.id, envelope, after)
        if place is None:
            return False
        after = place
    return True


async def settle_calls(context: RunContext, session: ConversationSession, record: Record) -> None:
    """Makes the calls that the model asked for and whose output is not stored, but those that wait for a person. Their
    effects happen once: each goes out under its own id."""
    recorded = {call.call_id: call for call in record.calls}
    for item in session.unanswered:
        call, known = Call(item["call_id"], item["name"], item["arguments"]), recorded.get(item["call_id"])
        if known is not None and known.waits:
            continue
        if known is not None and known.approval == "denied":
            output = await denied_call(context, call, known.denied_because)
        else:
            output = await perform(context, call, TOOLS.get(call.name))
        session.remember({"type": "function_call_output", "call_id": call.call_id, "output": output})
