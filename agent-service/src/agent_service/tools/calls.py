"""Carries out one tool call: parses its arguments, runs the tool, stores the result, publishes the events."""

import asyncio
import time
from dataclasses import asdict
from typing import Any, Literal

import orjson
import structlog
from pydantic import ValidationError

from agent_service.agent.context import RunContext
from agent_service.errors import LeaseLost
from agent_service.repository import RequestedCall, ToolResult
from agent_service.repository.values import parsed_or_text
from agent_service.tools.arguments import read_arguments
from agent_service.tools.conflict_messages import NotRead, conflict, not_read
from agent_service.tools.implementation import CallContext, Implementation, ToolOutcome
from contracts.errors import DomainError, Internal, NotFound, ValidationFailed, VersionConflict
from contracts.run_events import RESULT_MAX_BYTES, NotesChanged, ToolDone
from contracts.tools import TOOLS
from servicekit.database_timeout import DATABASE_UNAVAILABLE
from servicekit.rpc.server import readable

log = structlog.stdlib.get_logger()

TOOL_SECONDS = 60.0
"""Longer than a tool retries while the notes service restarts."""
TIMED_OUT = "This took too long and was given up. It may have happened all the same: look before you say so."

Status = Literal["ok", "error", "denied"]


async def perform(context: RunContext, call: RequestedCall, implementation: Implementation[Any] | None) -> str:
    """Runs the tool, stores the result, publishes it; returns the output for the model.

    Raises `LeaseLost` if the run has been claimed by another worker, and the database's errors.
    """
    started = time.perf_counter()
    context.tools_running += 1
    try:
        status, outcome = await _run(context, call, implementation)
        milliseconds = round((time.perf_counter() - started) * 1000)
        return await _store_result(context, call, status, outcome, milliseconds)
    finally:
        context.tools_running -= 1


async def _run(
    context: RunContext, call: RequestedCall, implementation: Implementation[Any] | None
) -> tuple[Status, ToolOutcome]:
    if implementation is None:
        return "error", _failure(NotFound(unknown_tool(call.name)))
    try:
        arguments = read_arguments(implementation.tool, call.arguments)
        async with asyncio.timeout(TOOL_SECONDS), context.note_lock(implementation.note_id(arguments)):
            outcome = await implementation.run(CallContext(context, call.call_id), arguments)
            context.read_versions.record_result(outcome.result)
    except TimeoutError:
        log.warning("tool timed out", run_id=context.run.id, tool=call.name)
        return "error", ToolOutcome({"error": {"code": "timeout", "message": TIMED_OUT}})
    except ValidationError as error:
        return "error", _failure(ValidationFailed(errors=readable(error)))
    except (DomainError, NotRead) as error:
        outcome = _failure(error)
        context.read_versions.record_result(outcome.result)
        return "error", outcome
    except (LeaseLost, *DATABASE_UNAVAILABLE):
        raise
    except Exception:
        log.exception("tool failed", run_id=context.run.id, tool=call.name)
        return "error", _failure(Internal())
    return "ok", outcome


def unknown_tool(name: str) -> str:
    """The output for a call of a tool that does not exist."""
    return f"There is no tool called {name}. The tools are {', '.join(TOOLS)}."


async def fail_call(context: RunContext, call: RequestedCall, why: str) -> None:
    """Stores and publishes a failure for a call that will not be made."""
    await _store_result(context, call, "error", ToolOutcome({"error": {"code": "cancelled", "message": why}}), 0)


async def deny_call(context: RunContext, call: RequestedCall, reason: str | None) -> str:
    """Stores and publishes the denial of a call; returns the output for the model."""
    message = f"The user did not allow this: {reason}" if reason else "The user did not allow this."
    return await _store_result(
        context, call, "denied", ToolOutcome({"error": {"code": "denied", "message": message}}), 0
    )


def _failure(error: DomainError | NotRead) -> ToolOutcome:
    """An error in the form for the model. A conflict includes what it needs to try again at once."""
    if isinstance(error, NotRead):
        return ToolOutcome({"error": not_read()})
    if isinstance(error, VersionConflict):
        return ToolOutcome({"error": conflict(error)})
    return ToolOutcome({"error": {"code": error.code, "message": error.message} | error.details})


async def _store_result(
    context: RunContext, call: RequestedCall, status: Status, outcome: ToolOutcome, milliseconds: int
) -> str:
    output = orjson.dumps(outcome.result).decode()
    shown, truncated = truncate_result(output)
    change = NotesChanged(**asdict(outcome.written), call_id=call.call_id) if outcome.written else None
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
            seq=context.reserve_items(1),
        ),
    )
    context.completed_calls.add(call.call_id)
    context.publisher.emit(
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
        context.publisher.emit(change)
    return output


def truncate_result(text: str) -> tuple[Any, bool]:
    """A result's JSON for the page: parsed, or, if it is longer than 4 KiB, its beginning as text. The flag says
    which."""
    if len(text.encode()) <= RESULT_MAX_BYTES:
        return orjson.loads(text), False
    low, high = 0, RESULT_MAX_BYTES
    while low < high:  # the longest prefix that fits when encoded as a JSON string
        middle = (low + high + 1) // 2
        low, high = (middle, high) if len(orjson.dumps(text[:middle])) <= RESULT_MAX_BYTES else (low, middle - 1)
    return text[:low], True
