"""One tool call from its arguments to its stored result, and the events that tell of it."""

import asyncio
import time
from dataclasses import asdict
from typing import Any, Literal

import orjson
import structlog
from pydantic import ValidationError

from agent_service.agent.context import RunContext
from agent_service.errors import LostRun
from agent_service.repository import Call, ToolResult
from agent_service.repository.values import parsed_or_text
from agent_service.tools.knowledge import NotRead, conflict, not_read
from agent_service.tools.tool import Caller, Outcome, Tool
from contracts.errors import DomainError, Internal, NotFound, ValidationFailed, VersionConflict
from contracts.run_events import RESULT_MAX_BYTES, NotesChanged, ToolDone
from servicekit.database_timeout import DATABASE_UNAVAILABLE
from servicekit.rpc.server import readable

log = structlog.stdlib.get_logger()

TOOL_SECONDS = 60.0
"""Longer than a tool waits for a notes service that is starting again."""
TOO_LONG = "This took too long and was given up. It may have happened all the same: look before you say so."

Status = Literal["ok", "error", "denied"]


async def perform(context: RunContext, call: Call, tool: Tool[Any] | None) -> str:
    """Acts, stores the result, tells of it; answers what the model is to read.

    Raises `LostRun` where the run is another worker's by now, and the database's errors.
    """
    started = time.perf_counter()
    context.working += 1
    try:
        status, outcome = await _act(context, call, tool)
        milliseconds = round((time.perf_counter() - started) * 1000)
        return await record(context, call, status, outcome, milliseconds)
    finally:
        context.working -= 1


async def _act(context: RunContext, call: Call, tool: Tool[Any] | None) -> tuple[Status, Outcome]:
    if tool is None:
        return "error", failure(NotFound(f"There is no tool called {call.name}."))
    try:
        arguments = tool.arguments.model_validate_json(call.arguments or "{}")
        async with asyncio.timeout(TOOL_SECONDS), context.alone_with(tool.note_of(arguments)):
            outcome = await tool.act(Caller(context, call.call_id), arguments)
            context.seen.learn(outcome.result)
    except TimeoutError:
        log.warning("tool took too long", run_id=context.run.id, tool=call.name)
        return "error", Outcome({"error": {"code": "timeout", "message": TOO_LONG}})
    except ValidationError as error:
        return "error", failure(ValidationFailed(errors=readable(error)))
    except (DomainError, NotRead) as error:
        outcome = failure(error)
        context.seen.learn(outcome.result)
        return "error", outcome
    except (LostRun, *DATABASE_UNAVAILABLE):
        raise
    except Exception:
        log.exception("tool failed", run_id=context.run.id, tool=call.name)
        return "error", failure(Internal())
    return "ok", outcome


async def failed_call(context: RunContext, call: Call, why: str) -> None:
    """Settles a call that will not be made."""
    await record(context, call, "error", Outcome({"error": {"code": "cancelled", "message": why}}), 0)


async def denied_call(context: RunContext, call: Call, reason: str | None) -> str:
    """Settles a call that the user did not allow; answers what the model is to read."""
    message = f"The user did not allow this: {reason}" if reason else "The user did not allow this."
    return await record(context, call, "denied", Outcome({"error": {"code": "denied", "message": message}}), 0)


def failure(error: DomainError | NotRead) -> Outcome:
    """An error as the model reads it. Of a note that changed it gets what it needs to try again at once."""
    if isinstance(error, NotRead):
        return Outcome({"error": not_read()})
    if isinstance(error, VersionConflict):
        return Outcome({"error": conflict(error)})
    return Outcome({"error": {"code": error.code, "message": error.message} | error.details})


async def record(context: RunContext, call: Call, status: Status, outcome: Outcome, milliseconds: int) -> str:
    output = orjson.dumps(outcome.result).decode()
    shown, truncated = shortened(output)
    change = NotesChanged(**asdict(outcome.change), call_id=call.call_id) if outcome.change else None
    await context.progress.store_result(
        context.run,
        ToolResult(
            call_id=call.call_id,
            status=status,
            result=shown,
            truncated=truncated,
            duration_ms=milliseconds,
            change=change.model_dump() if change else None,
            item={"type": "function_call_output", "call_id": call.call_id, "output": output},
            seq=context.take_places(1),
        ),
    )
    context.answered.add(call.call_id)
    context.stream.emit(
        ToolDone(
            call_id=call.call_id,
            name=call.name,
            status=status,
            arguments=parsed_or_text(call.arguments),
            result=shown,
            duration_ms=milliseconds,
            truncated=truncated,
        )
    )
    if change:
        context.stream.emit(change)
    return output


def shortened(text: str) -> tuple[Any, bool]:
    """A result's JSON for the page: whole, or its beginning as text where it is longer than 4 KiB."""
    if len(text.encode()) <= RESULT_MAX_BYTES:
        return orjson.loads(text), False
    low, high = 0, RESULT_MAX_BYTES
    while low < high:  # the longest beginning that, quoted as JSON, fits
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(orjson.dumps(text[:middle])) <= RESULT_MAX_BYTES else (low, middle - 1)
    return text[:low], True
