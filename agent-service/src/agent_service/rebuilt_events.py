"""A finished run's events, rebuilt from the database after the stream has dropped them. Each text is one event."""

from pydantic import BaseModel

from agent_service.repository import FinishedRun, RunRecord
from agent_service.worker.takeover import approval_events, call_events
from contracts.chat import RebuiltEvent, RebuiltEvents
from contracts.run_events import Done, MessageDone, RunBegan, RunEvent, RunFailed, ToolCallBegan


def rebuild_events(run_id: str, finished: FinishedRun, record: RunRecord) -> RebuiltEvents:
    began = RunBegan(run_id=run_id, conversation_id=finished.conversation_id, model=finished.model, mode=finished.mode)
    events: list[RunEvent] = [began, *_messages_and_calls(record)]
    if finished.error is not None:
        events.append(RunFailed.model_validate(finished.error.model_dump()))
    events.append(Done(status=finished.status, usage=finished.usage, finish_reason=finished.finish_reason))
    return RebuiltEvents(events=[_rebuilt(number, event) for number, event in enumerate(events, 1)])


def _messages_and_calls(record: RunRecord) -> list[RunEvent]:
    events: list[RunEvent] = []
    for message in record.messages:
        if message.text:
            events.append(MessageDone(message_id=message.id, text=message.text))
        for call in record.calls:
            if call.message_id == message.id and call.status != "running":
                events.append(ToolCallBegan(call_id=call.call_id, name=call.name))
                events += [*approval_events(call), *call_events(call)]
    return events


def _rebuilt(number: int, event: RunEvent) -> RebuiltEvent:
    data: BaseModel = event
    return RebuiltEvent(id=number, event=event.event, data=data.model_dump(mode="json", exclude_none=True))
