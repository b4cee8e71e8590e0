"""Starting runs and reading what they say, as it is said."""

from typing import Any

from fastapi import APIRouter, Response

from contracts import chat, note_history
from contracts.errors import RunActive
from contracts.ids import Id
from contracts.run_events import RunEvent
from gateway.accounts.models import Session
from gateway.chat.answers import NewAnswer
from gateway.chat.models import After, Decisions, NewMessage
from gateway.container import Container
from gateway.dependencies import Services, SignedInSession, User
from gateway.live.run_reader import RunReader
from gateway.live.sse import EventStream
from gateway.problems import problems
from servicekit.rpc import call

router = APIRouter(prefix="/api", tags=["chat"])

EVENT: dict[str, Any] = {
    "type": "object",
    "description": "One event of the stream. `data` is JSON on one line; `id` counts a run's events 1, 2, 3 …",
    "properties": {
        "event": {"type": "string", "enum": [kind.event for kind in RunEvent.__subclasses__()]},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "id": {"type": "string"},
        "retry": {"type": "integer"},
    },
    "required": ["event", "data"],
}
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "The run's events.", "content": {"text/event-stream": {"schema": EVENT}}}
}


class EventStreamResponse(Response):
    """For the OpenAPI document: what a stream's route answers with."""

    media_type = "text/event-stream"


@router.get("/chat/status", responses=problems(401))
async def status(user: User, to: Services) -> chat.ModelStatus:
    """Which model answers."""
    return await call(to.nc, chat.STATUS, chat.STATUS.request())


@router.post("/chat", response_class=EventStreamResponse, responses=STREAM | problems(401, 403, 404, 409, 429))
async def start_and_stream(body: NewMessage, begins: NewAnswer, session: SignedInSession, to: Services) -> Response:
    """Starts a run and streams its events in this response."""
    request = chat.StartRun(**begins, **body.model_dump(exclude_none=True))
    stream = EventStream(to.streams, to.sessions, session.id)
    reader = RunReader(to.sources, session.user.id, request.run_id, stream)
    try:
        await reader.follow()  # before it starts: so there is no history to read
        started = await call(to.nc, chat.RUN_START, request)
        if started.run_id != request.run_id:
            reader.close()
            return await _resumed(to, session, started.run_id, 0)
    except BaseException:
        reader.close()
        raise
    stream.reader = reader
    return stream


@router.post("/runs", status_code=202, responses=problems(401, 403, 404, 409, 429))
async def start_run(body: NewMessage, begins: NewAnswer, to: Services) -> chat.RunStarted:
    """Starts a run; its events are at `/api/runs/{id}/events`."""
    return await call(to.nc, chat.RUN_START, chat.StartRun(**begins, **body.model_dump(exclude_none=True)))


@router.get("/runs/{id}", responses=problems(401, 404))
async def get_run(id: Id, user: User, to: Services) -> chat.Run:  # noqa: A002
    return await call(to.nc, chat.RUN_GET, chat.RunRef(actor=user, run_id=id))


@router.get(
    "/runs/{id}/events",
    response_class=EventStreamResponse,
    responses=STREAM | problems(401, 404) | {204: {"description": "You have it all: do not reconnect."}},
)
async def stream_run(id: Id, session: SignedInSession, to: Services, after: After) -> Response:  # noqa: A002
    """The run's events after the last one that you have, then live until it is done."""
    return await _resumed(to, session, id, after)


@router.post("/runs/{id}/cancel", status_code=202, responses=problems(401, 403, 404))
async def cancel_run(id: Id, user: User, to: Services) -> chat.Run:  # noqa: A002
    """Stops the run. Its stream ends with `done`; stopping what has ended changes nothing."""
    return await call(to.nc, chat.RUN_CANCEL, chat.RunRef(actor=user, run_id=id))


@router.post("/runs/{id}/decisions", status_code=202, responses=problems(401, 403, 404))
async def decide(id: Id, body: Decisions, user: User, to: Services) -> chat.Run:  # noqa: A002
    """Allows or refuses calls that the run waits for. It goes on with what is decided, and waits for the rest."""
    return await call(to.nc, chat.RUN_DECIDE, chat.DecideCalls(actor=user, run_id=id, decisions=body.decisions))


@router.post("/runs/{id}/undo", responses=problems(401, 403, 404, 409))
async def undo_run(id: Id, user: User, to: Services) -> note_history.UndoneRun:  # noqa: A002
    """Takes back what the run changed in the notes. What someone changed since is left alone and told.
    Undone twice is undone once; a run that has not ended is refused with `run_active`.
    """
    run = await call(to.nc, chat.RUN_GET, chat.RunRef(actor=user, run_id=id))
    if run.status not in ("completed", "failed", "cancelled"):
        raise RunActive(run_id=id)
    undone = await call(to.nc, note_history.UNDO_RUN, note_history.UndoRun(actor=user, run_id=id))
    if not undone.conflicts:
        await call(to.nc, chat.RUN_UNDONE, chat.RunRef(actor=user, run_id=id))
    return undone


async def _resumed(to: Container, session: Session, run_id: str, after: int) -> Response:
    stream = EventStream(to.streams, to.sessions, session.id)
    reader = RunReader(to.sources, session.user.id, run_id, stream, after)
    try:
        if not await reader.resume():
            reader.close()
            return EventStreamResponse(status_code=204)  # an EventSource stops at this
    except BaseException:
        reader.close()
        raise
    stream.reader = reader
    return stream
