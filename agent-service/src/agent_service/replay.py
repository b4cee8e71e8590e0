"""A finished run's events, made again from what the database keeps once the stream has let them go."""

from typing import Any

from pydantic import BaseModel

from agent_service.repository import Record
from agent_service.worker.takeover import approval_events, call_events
from contracts.chat import RebuiltEvent, RebuiltEvents, RunError
from contracts.run_events import Done, MessageDone, RunBegan, RunEvent, RunFailed, ToolCallBegan, Usage


def rebuilt(run_id: str, ending: dict[str, Any], record: Record) -> RebuiltEvents:
    """`ending`: as the repository of records tells it. Texts come whole, not token by token."""
    began = RunBegan(
        run_id=run_id, conversation_id=ending["conversation_id"], model=ending["model"], mode=ending["mode"]
    )
    events: list[RunEvent] = [began, *_said(record)]
    if ending["error"] is not None:
        events.append(RunFailed.model_validate(RunError(**ending["error"]).model_dump()))
    usage = Usage(**{name: ending[name] for name in Usage.model_fields})
    events.append(Done(status=ending["status"], usage=usage, finish_reason=ending["finish_reason"]))
    return RebuiltEvents(events=[_stored(number, event) for number, event in enumerate(events, 1)])


def _said(record: Record) -> list[RunEvent]:
    events: list[RunEvent] = []
    for message in record.messages:
        if message.text:
            events.append(MessageDone(message_id=message.id, text=message.text))
        for call in record.calls:
            if call.message_id == message.id and call.status != "running":
                events.append(ToolCallBegan(call_id=call.call_id, name=call.name))
                events += [*approval_events(call), *call_events(call)]
    return events


def _stored(number: int, event: RunEvent) -> RebuiltEvent:
    data: BaseModel = event
    return RebuiltEvent(id=number, event=event.event, data=data.model_dump(mode="json", exclude_none=True))
