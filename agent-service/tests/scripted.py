"""Responses of a scripted model, and the results of its tools."""

from typing import Any

from agents.testing import ModelStep, assistant_message, function_call

from contracts import notes

from .people import Person, ReceivedEvents

DONE = [assistant_message("Done.")]


def call(name: str, call_id: str = "", **arguments: Any) -> list[Any]:
    return [function_call(name, arguments, call_id=call_id or name)]


def results(received: ReceivedEvents) -> dict[str, Any]:
    return {done["call_id"]: done["result"] for done in received.of("tool_done")}


def while_it_thinks(person: Person, note: notes.Note, answer: Any, **fields: Any) -> ModelStep:
    """The person changes the note after the model has read it and before it answers; `answer` may use the request."""

    async def respond(request: Any) -> list[Any]:
        if fields:
            await person.ask(notes.UPDATE, id=note.id, **fields)
        return answer(request) if callable(answer) else answer

    return ModelStep.respond(respond)
