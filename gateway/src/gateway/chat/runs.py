"""HTTP routes of runs: starting them, following their events, cancelling, deciding, undoing."""

from typing import Any

from fastapi import APIRouter, Response

from contracts import chat, note_history
from contracts.errors import RunActive
from contracts.ids import Id
from contracts.run_events import BEFORE_FIRST, EventId, RunEvent
from gateway.accounts.dependencies import ProtectedRoute, SignedInSession, User
from gateway.accounts.models import Session
from gateway.chat.dependencies import ServerFields
from gateway.chat.models import After, Decisions, NewMessage
from gateway.dependencies import Nats
from gateway.live.dependencies import Live
from gateway.live.run_reader import RunReader
from gateway.live.services import LiveServices
from gateway.live.sse import EventStream
from gateway.problems import problems
from servicekit.rpc import call

router = APIRouter(prefix="/api", tags=["chat"], route_class=ProtectedRoute)

EVENT: dict[str, Any] = {
    "type": "object",
    "description": "One event of the stream. `data` is JSON on one line; `id` is its attempt and its number in it.",
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
    """The response class of stream routes in the OpenAPI document."""

    media_type = "text/event-stream"


@router.get("/chat/status", responses=problems(401))
async def status(user: User, nc: Nats) -> chat.ModelStatus:
    """Which model answers."""
    return await call(nc, chat.STATUS, chat.STATUS.request())


@router.get("/models", responses=problems(401))
async def models(user: User, nc: Nats) -> chat.AvailableModels:
    """The models from which to choose for a conversation."""
    return await call(nc, chat.MODELS, chat.MODELS.request())


@router.post("/chat", response_class=EventStreamResponse, responses=STREAM | problems(401, 403, 404, 409, 429))
async def start_and_stream(
    body: NewMessage, server_fields: ServerFields, session: SignedInSession, nc: Nats, live: Live
) -> Response:
    """Starts a run and streams its events in this response."""
    request = chat.StartRun(**server_fields, **body.model_dump(exclude_unset=True))
    stream = EventStream(live, session.id)
    reader = RunReader(live.sources, session.user.id, request.run_id, stream)
    try:
        await reader.follow()  # before the run starts, so that there is no log to read
        started = await call(nc, chat.RUN_START, request)
        if started.run_id != request.run_id:
            reader.close()
            return await _resume(live, session, started.run_id, BEFORE_FIRST)
    except BaseException:
        reader.close()
        raise
    stream.reader = reader
    return stream


@router.post("/runs", status_code=202, responses=problems(401, 403, 404, 409, 429))
async def start_run(body: NewMessage, server_fields: ServerFields, nc: Nats) -> chat.RunStarted:
    """Starts a run; its events are at `/api/runs/{id}/events`."""
    return await call(nc, chat.RUN_START, chat.StartRun(**server_fields, **body.model_dump(exclude_unset=True)))


@router.get("/runs/{id}", responses=problems(401, 404))
async def get_run(id: Id, user: User, nc: Nats) -> chat.Run:  # noqa: A002
    return await call(nc, chat.RUN_GET, chat.RunRef(actor=user, run_id=id))


@router.get(
    "/runs/{id}/events",
    response_class=EventStreamResponse,
    responses=STREAM | problems(401, 404) | {204: {"description": "You have it all: do not reconnect."}},
)
async def stream_run(id: Id, session: SignedInSession, live: Live, after: After) -> Response:  # noqa: A002
    """The run's events after the last one received, then live events until it is done."""
    return await _resume(live, session, id, after)


@router.post("/runs/{id}/cancel", status_code=202, responses=problems(401, 403, 404))
async def cancel_run(id: Id, user: User, nc: Nats) -> chat.Run:  # noqa: A002
    """Stops the run. Its stream ends with `done`; for a run that has ended this changes nothing."""
    return await call(nc, chat.RUN_CANCEL, chat.RunRef(actor=user, run_id=id))


@router.post("/runs/{id}/decisions", status_code=202, responses=problems(401, 403, 404))
async def decide(id: Id, body: Decisions, user: User, nc: Nats) -> chat.Run:  # noqa: A002
    """Approves or denies tool calls that the run waits for. The run continues with those and waits for the rest."""
    return await call(nc, chat.RUN_DECIDE, chat.DecideCalls(actor=user, run_id=id, decisions=body.decisions))


@router.post("/runs/{id}/undo", responses=problems(401, 403, 404, 409))
async def undo_run(id: Id, user: User, nc: Nats) -> note_history.UndoneRun:  # noqa: A002
    """Undoes the run's changes to notes. Notes that someone else has changed since stay as they are: `conflicts`.
    Repeating it changes nothing; a run that has not ended is refused with `run_active`.
    """
    run = await call(nc, chat.RUN_GET, chat.RunRef(actor=user, run_id=id))
    if run.status not in ("completed", "failed", "cancelled"):
        raise RunActive(run_id=id)
    undone = await call(nc, note_history.UNDO_RUN, note_history.UndoRun(actor=user, run_id=id))
    if not undone.conflicts:
        await call(nc, chat.RUN_UNDONE, chat.RunRef(actor=user, run_id=id))
    return undone


async def _resume(live: LiveServices, session: Session, run_id: str, after: EventId) -> Response:
    stream = EventStream(live, session.id)
    reader = RunReader(live.sources, session.user.id, run_id, stream, after)
    try:
        if not await reader.resume():
            reader.close()
            return EventStreamResponse(status_code=204)  # an EventSource stops at this
    except BaseException:
        reader.close()
        raise
    stream.reader = reader
    return stream
