"""Makes each request to the model fit into its context window.

In this order: a window is divided between the answer's reserve, the instructions with the tools, the run's own items,
and what came before the run. What does not fit of the latter is summarised by the same model, in one request, and the
summary is stored before it is used: whoever takes over the run finds it. If that fails, the oldest runs are left out,
which is stored as well. Long outputs of the run's own calls are shortened where they would crowd out everything else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, NamedTuple

import structlog
from agents import FunctionTool, ModelSettings
from agents.tool import Tool

from agent_service.agent.context import RunContext
from agent_service.agent.history import EarlierRun, History, item_texts, item_tokens
from agent_service.agent.prompt import summary_instructions, with_summary
from agent_service.errors import ContextTooLong
from agent_service.models.failures import to_model_failure
from agent_service.models.select import SelectedModel
from agent_service.models.wire import FinishedResponse, SilentListener
from agent_service.repository import StoredSummary
from agent_service.repository.values import json_text, plain_text
from agent_service.token_estimate import estimated_tokens
from contracts.chat import SUMMARY_MAX_CHARACTERS
from contracts.run_events import Summarized, Usage
from servicekit.error_logging import describe

log = structlog.stdlib.get_logger()

ANSWER_TOKENS = 4_096
"""The reserve for the answer, and at most a quarter of the window."""
SUMMARY_TOKENS = 1_000
SUMMARY_SECONDS = 120.0
LEAST_SUMMARY_TOKENS = 100
"""If there is less room, a summary would say nothing."""
LEAST_CHARACTERS = 400
"""To which long outputs and messages are shortened at most."""
MOST_CHARACTERS = 64 * LEAST_CHARACTERS

MISSING = "[Older messages are missing here.]"

Respond = Callable[..., Awaitable[FinishedResponse]]


class ContextRequest(NamedTuple):
    """What the SDK asks of the model. `items`: those of the run."""

    instructions: str | None
    items: Sequence[Any]
    tools: list[Tool]
    settings: ModelSettings


class FittedRequest(NamedTuple):
    """`tokens`: an upper estimate for all of it."""

    instructions: str | None
    items: list[Any]
    tokens: int


class ContextFitter:
    """For one run. `respond`: asks the model."""

    def __init__(self, context: RunContext, selected: SelectedModel, respond: Respond) -> None:
        self._context = context
        self._selected = selected
        self._window = selected.window
        self._respond = respond

    async def fit(self, request: ContextRequest) -> FittedRequest:
        """The request with what came before the run. Raises `LeaseLost` if another worker has claimed it, and the
        database's errors."""
        instructions, own, tools, settings = request
        history = self._context.history
        around = estimated_tokens(instructions or "") + _tools_tokens(tools)
        room = self._window.tokens - min(self._window.tokens // 4, ANSWER_TOKENS) - around
        items = _shortened(own, room * 3 // 4 if history.runs or history.summary else room)
        left = max(room - _tokens(items), 0)
        is_cut = history.cut_at is not None
        if is_cut or (history.runs and history.tokens + _summary_tokens(history.summary) > left):
            await self._make_room(left, settings)
            is_cut = True
        if is_cut or items is not own:
            self._context.read_versions.replay([*history.items, *items])
        summary = None if history.summary is None else _cut(history.summary.text, left // 2)
        sent = [*history.items, *items]
        return FittedRequest(
            with_summary(instructions, summary), sent, around + estimated_tokens(summary or "") + _tokens(sent)
        )

    async def fit_less(
        self, request: ContextRequest, refused: FittedRequest, failed: ContextTooLong
    ) -> FittedRequest | None:
        """A smaller request after the server has refused one as too long; None if nothing can be left out of it."""
        has_spare = bool(self._context.history.runs) or any(
            len(text) > LEAST_CHARACTERS for item in request.items if _is_output(item) for text in item_texts(item)
        )
        if not has_spare:
            return None
        self._window.refused(refused.tokens, failed.limit)
        smaller = await self.fit(request)
        return smaller if smaller.tokens < refused.tokens else None

    async def _make_room(self, left: int, settings: ModelSettings) -> None:
        """Replaces the oldest runs by a summary. Half of the room stays free, or the next message would need another.

        The summary is stored before the runs go: see `History`.
        """
        history, run, progress = self._context.history, self._context.run, self._context.progress
        dropped = history.that_do_not_fit(left // 2) if history.tokens > left // 2 else []
        last = dropped[-1].last_message_id if dropped else history.cut_at
        if last is None:
            return
        model, text, usage = self._context.model, None, dict[str, Usage]()
        if dropped and self._selected.status.mode == "live" and left // 4 >= LEAST_SUMMARY_TOKENS:
            self._context.publisher.emit(Summarized(message_id=last, status="began"))
            text, spent = await self._summarize(dropped, min(left // 4, SUMMARY_TOKENS), settings)
            usage[model] = self._context.priced(spent)
        if text is not None:
            await progress.store_summary(run, last, text, model, usage)
            history.summary = StoredSummary(last, text)
        else:
            await progress.leave_out(run, last, usage)
        history.runs, history.cut_at = history.runs[len(dropped) :], None
        self._context.publisher.emit(Summarized(message_id=last, status="left_out" if text is None else "done"))

    async def _summarize(
        self, dropped: Sequence[EarlierRun], tokens: int, settings: ModelSettings
    ) -> tuple[str | None, Usage]:
        """A summary of at most about `tokens`, of what came before and these runs; None if the model makes none."""
        history, name = self._context.history, self._context.run.username
        instructions = summary_instructions(name, max(tokens // 2, 50))
        room = self._window.tokens - 2 * tokens - estimated_tokens(instructions)
        for most in (room, room // 2):  # smaller once, if the server finds it too long
            text = _transcript(history, [item for run in dropped for item in run.items], most)
            request = [{"role": "user", "content": text}]
            try:
                async with asyncio.timeout(SUMMARY_SECONDS):
                    finished = await self._respond(SilentListener(), instructions, request, settings, [])
            except Exception as error:
                failed = to_model_failure(error)
                is_bug = failed.code == "internal"
                run_id = self._context.run.id
                log.warning("no summary", run_id=run_id, code=failed.code, error=describe(error), exc_info=is_bug)
                if not isinstance(failed, ContextTooLong):
                    return None, Usage()
            else:
                answer = plain_text(finished.response.output_text).strip()
                return _cut(answer, tokens * 3 // 2)[:SUMMARY_MAX_CHARACTERS] or None, _usage(finished)
        return None, Usage()


def _usage(finished: FinishedResponse) -> Usage:
    usage = finished.response.usage
    if usage is None:
        return Usage(requests=1)
    return Usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, requests=1)


def _shortened(items: Sequence[Any], tokens: int) -> Sequence[Any]:
    """The same items if they have `tokens` at most; else the longest outputs are shortened, as little as is needed."""
    most = MOST_CHARACTERS
    found = items
    while _tokens(found) > tokens and most >= LEAST_CHARACTERS:
        found = [{**item, "output": _middle_cut(item["output"], most)} if _is_output(item) else item for item in items]
        most //= 2
    return found


def _transcript(history: History, items: Iterable[dict[str, Any]], tokens: int) -> str:
    """The items as text of at most `tokens`, after the summary of what came before. First long messages are shortened,
    then the oldest left out."""
    lines = [MISSING] if history.cut_at else []
    lines += [line for item in items if (line := _line(item))]
    summary = history.summary
    before = "" if summary is None else f"Summary of what came before:\n{_cut(summary.text, tokens // 2)}"
    room, most = tokens - estimated_tokens(before), MOST_CHARACTERS
    short = lines
    while sum(map(estimated_tokens, short)) > room and most >= LEAST_CHARACTERS:
        short = [_middle_cut(line, most) for line in lines]
        most //= 2
    kept = 0
    for place in range(len(short) - 1, -1, -1):
        kept += estimated_tokens(short[place])
        if kept > room:
            short = [MISSING, *short[place + 1 :]]
            break
    return "\n\n".join([*([before] if before else []), *short])


def _line(item: dict[str, Any]) -> str:
    """What an item says, and who; empty for reasoning."""
    text = "".join(item_texts(item))
    match item:
        case {"type": "function_call", "name": str(name), "arguments": str(arguments)}:
            return f"Assistant used {name}: {_middle_cut(arguments, LEAST_CHARACTERS)}"
        case {"type": "function_call_output"}:
            return f"Result: {_middle_cut(text, LEAST_CHARACTERS)}"
        case {"role": "user"}:
            return f"User: {text}"
        case {"role": "assistant"}:
            return f"Assistant: {text}"
        case _:
            return ""


def _is_output(item: Any) -> bool:
    return item.get("type") == "function_call_output" and isinstance(item.get("output"), str)


def _middle_cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    return f"{text[: most * 2 // 3]}\n[… {len(text) - most} characters are left out here …]\n{text[-(most // 3) :]}"


def _cut(text: str, tokens: int) -> str:
    """The beginning of the text that has `tokens` at most."""
    while text and estimated_tokens(text) > tokens:
        text = text[: len(text) * tokens // (estimated_tokens(text) + 1)].rstrip()
    return text


def _tokens(items: Iterable[Any]) -> int:
    return sum(map(item_tokens, items))


def _summary_tokens(summary: StoredSummary | None) -> int:
    return 0 if summary is None else estimated_tokens(summary.text)


def _tools_tokens(tools: list[Tool]) -> int:
    functions = [tool for tool in tools if isinstance(tool, FunctionTool)]
    return sum(
        estimated_tokens(f"{tool.name}{tool.description}{json_text(tool.params_json_schema)}") for tool in functions
    )
