"""Maps a provider's error to a `ModelFailed`, with a message that says what the user can do about it.

Providers' messages are matched but neither passed on nor logged: they may contain keys, or quote the user's text. Only
their codes are logged.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

import structlog

from agent_service.errors import ContextTooLong, ModelFailed, RequestRefused
from agent_service.models.wire.dialect import is_about_system_role
from contracts.run_events import ErrorCode

log = structlog.stdlib.get_logger()

UNREACHABLE = "The model cannot be reached right now."
BROKEN = "The model's answer could not be used."
CUT = "The model's answer broke off in the middle."
SILENT = "The model has been silent for too long."
EMPTY = "The model said nothing."
STOPPED = "The model's provider stopped the answer with an error."
FILTERED = "The provider's content filter withheld the answer."
USED_UP = "The model used all of its output limit before it said anything."
NOT_A_SERVER = "There is no model server at this address. Check OPENAI_BASE_URL: it often ends in /v1."
UNTRUSTED = "The certificate of the model's server is not trusted."
BUSY = "The model's provider is busy. Try again in a moment."
OVERLOADED = "The model's provider is overloaded. Try again in a moment."
SERVER_ERROR = "The model's provider had an error."
QUOTA = "The quota at the model's provider is used up."
CREDIT = "The account at the model's provider has no credit left."
KEY = "The model's provider refused the API key. Check OPENAI_API_KEY."
FORBIDDEN = "The model's provider does not allow this request."
UNKNOWN_MODEL = "The model's provider does not know this model. Check INKSTREAM_MODEL."
NO_MODEL = "The server at OPENAI_BASE_URL offers no model. Load one, or name it in INKSTREAM_MODEL."
TOO_LONG = (
    "This message is too long for the model, even without the earlier ones. Shorten it, or use a model with a larger "
    "context window."
)
NO_TOOLS = "This model cannot use tools, which the assistant needs. Choose another one with INKSTREAM_MODEL."
MODERATED = "The provider's content filter did not let the message through."
LOADING = "The model is still loading. Try again in a minute."
BAD_CALL = "The model made a tool call that its server could not read."
REFUSED = "The model's provider refused this request."

_LONGEST_MATCHED = 4_000
_BY_PATTERN: tuple[tuple[str, ErrorCode, str, bool], ...] = (
    (
        r"context.?(length|window|size|limit)|maximum context|max(imum)?.?(prompt|input|sequence|model).?len"
        r"|(prompt|input|conversation|request).{0,20} too (long|large)|too many (input |prompt )?tokens"
        r"|reduce the length|string_above_max_length|token count.{0,60}exceed"
        r"|exceed.{0,40}(max(imum)?|limit).{0,40}tokens"
        r"|less than \d+ tokens|tokens.{0,40}must be <= ?\d|n_ctx",
        "model_rejected",
        TOO_LONG,
        False,
    ),
    (r"insufficient_quota|billing_(hard_limit|not_active)", "rate_limited", QUOTA, False),
    (
        r"credit balance|insufficient.?(credit|balance|funds)|(more|no|out of) credits|payment required",
        "model_rejected",
        CREDIT,
        False,
    ),
    (
        r"(not|n't) support(ed)? .{0,40}(tool|function)|(tool|function).{0,40}(not|n't) support|no endpoints.+tool use",
        "model_rejected",
        NO_TOOLS,
        False,
    ),
    (
        r"content.?(filter|management|policy)|moderation|flagged|safety (system|setting)|data_inspection_failed",
        "model_rejected",
        MODERATED,
        False,
    ),
    (r"tool_use_failed|failed to call a function", "model_unavailable", BAD_CALL, True),
    (r"loading( the)? model|model .{0,100}is .{0,10}loading", "model_unavailable", LOADING, True),
    (
        r"model_not_found|unknown.?model|(no|invalid) (such )?model|not a valid model"
        r"|model .{0,200}(not found|not exist|is not (a )?valid|not available)",
        "model_rejected",
        UNKNOWN_MODEL,
        False,
    ),
    (r"(invalid|incorrect).?api.?key|authentication|unauthori[sz]ed", "model_rejected", KEY, False),
    (r"rate.?limit|too many requests|resource.?exhausted|quota", "rate_limited", BUSY, True),
    (r"overloaded|capacity", "model_unavailable", OVERLOADED, True),
    (r"server.?error|unavailable|internal.?error|timed? ?out", "model_unavailable", SERVER_ERROR, True),
)
"""Patterns for an error's codes, types and messages, and their meanings; the first match applies."""
_PATTERNS: list[tuple[re.Pattern[str], ErrorCode, str, bool]] = [
    (re.compile(pattern, re.IGNORECASE), code, message, retryable) for pattern, code, message, retryable in _BY_PATTERN
]
_BY_STATUS: dict[int, tuple[ErrorCode, str, bool]] = {
    401: ("model_rejected", KEY, False),
    402: ("model_rejected", CREDIT, False),
    403: ("model_rejected", FORBIDDEN, False),
    404: ("model_rejected", NOT_A_SERVER, False),
    405: ("model_rejected", NOT_A_SERVER, False),
    408: ("model_unavailable", UNREACHABLE, True),
    409: ("model_unavailable", UNREACHABLE, True),
    413: ("model_rejected", TOO_LONG, False),
    425: ("model_unavailable", UNREACHABLE, True),
    429: ("rate_limited", BUSY, True),
    502: ("model_unavailable", UNREACHABLE, True),
    503: ("model_unavailable", UNREACHABLE, True),
    504: ("model_unavailable", UNREACHABLE, True),
}
_TOKENS = r"(\d{1,3}(?:,\d{3})+|\d{3,8})"
_LIMIT_FIELD = re.compile(r'"n_ctx": ?(\d{3,8})')
_LIMITS = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"> ?{_TOKENS}",
        rf"(?:context|prompt) (?:length|size|window)\D{{0,24}}{_TOKENS}",
        rf"(?:maximum|limit|only|allowed|exceed|less than|<=)\D{{0,48}}?{_TOKENS}",
        rf"{_TOKENS}(?: tokens?)? (?:maximum|max|limit)",
    )
]
"""Where errors about the length name the number of tokens that the model takes; the first match applies."""
_REASONS = {LOADING: "loading", UNKNOWN_MODEL: "unknown_model", MODERATED: "moderated"}
_FIELDS = ("code", "type", "message", "error", "errors", "detail", "msg", "status", "metadata", "raw", "reason")
_QUOTES = ("input", "ctx", "url")
"""Fields in which FastAPI's errors repeat the value that they refuse."""
_CODES = ("code", "type", "status", "param")
_CODE = re.compile(r"[\w.-]{1,63}", re.ASCII)
_STATUS = re.compile(r"[45]\d\d")


def failure(status: int | None, body: Any, headers: Mapping[str, str] | None = None) -> ModelFailed:
    """The failure that corresponds to an error. `status`: of HTTP, None for an error within a stream or instead of a
    response; `body`: JSON of any shape, or text."""
    number = status if status is not None and status >= 400 else _status_in(body)
    code, message, retryable = _meaning(number, " ".join(_texts(body))[:_LONGEST_MATCHED])
    log.warning("model server sent an error", status=number, codes=list(_codes(body)), meaning=message)
    text = _whole_text(body)
    if message == TOO_LONG:
        return ContextTooLong(message, _named_limit(body, text[:_LONGEST_MATCHED]))
    if message in (REFUSED, NO_TOOLS) or (message == SERVER_ERROR and is_about_system_role(text)):
        return RequestRefused(message, text[:_LONGEST_MATCHED], is_about_tools=message == NO_TOOLS)
    retry_after = seconds_to_wait(headers) if headers and retryable else None
    return ModelFailed(code, message, retryable=retryable, retry_after=retry_after, reason=_REASONS.get(message))


def _named_limit(body: Any, text: str) -> int | None:
    """How many tokens the model takes, as an error about the length says; None if it names no number."""
    if match := _LIMIT_FIELD.search(text):
        return int(match[1])
    sentences = [sentence[:_LONGEST_MATCHED] for sentence in _texts(body)]
    found = (pattern.search(sentence) for pattern in _LIMITS for sentence in sentences)
    return next((int(match[1].replace(",", "")) for match in found if match), None)


def _meaning(status: int | None, text: str) -> tuple[ErrorCode, str, bool]:
    if status not in (401, 402):  # these statuses are unambiguous
        for pattern, code, message, retryable in _PATTERNS:
            if pattern.search(text) and _may_mean(status, message, retryable=retryable):
                return code, message, retryable
    if status is None or status >= 500:
        return _BY_STATUS.get(status or 0, ("model_unavailable", SERVER_ERROR, True))
    return _BY_STATUS.get(status, ("model_rejected", REFUSED, False))


def _may_mean(status: int | None, message: str, *, retryable: bool) -> bool:
    """Whether the status allows this meaning, because a message may mention other things: a server error is not caused
    by the request, and the other way round."""
    if status is None:
        return True
    if status >= 500:
        return retryable or message in (TOO_LONG, NO_TOOLS)
    return message not in (OVERLOADED, SERVER_ERROR) or status in (408, 409, 425, 429)


def _texts(body: Any, depth: int = 4) -> Iterator[str]:
    """Codes, types and messages, wherever they are in the body."""
    if isinstance(body, str | int | float):
        yield str(body)
    elif isinstance(body, list) and depth:
        for one in cast(list[Any], body)[:8]:
            yield from _texts(one, depth - 1)
    elif isinstance(body, dict) and depth:
        fields = cast(dict[str, Any], body)
        for name in _FIELDS:
            if name in fields:
                yield from _texts(fields[name], depth - 1)


def _whole_text(body: Any) -> str:
    """An error as text, with all names in it, but without what it quotes of the request."""
    return body if isinstance(body, str) else json.dumps(_unquoted(body), ensure_ascii=False, default=str)


def _unquoted(value: Any, depth: int = 6) -> Any:
    if isinstance(value, list):
        return [_unquoted(one, depth - 1) for one in cast(list[Any], value)[:16]] if depth else []
    if isinstance(value, dict):
        fields = cast(dict[str, Any], value).items() if depth else ()
        return {name: _unquoted(part, depth - 1) for name, part in fields if name not in _QUOTES}
    return value


def _codes(body: Any, depth: int = 3) -> Iterator[str]:
    """What of an error is made to be read by programs: a word for its kind."""
    if isinstance(body, list) and body:
        body = cast(list[Any], body)[0]
    if isinstance(body, dict) and depth:
        fields = cast(dict[str, Any], body)
        yield from (code for name in _CODES if _CODE.fullmatch(code := str(fields.get(name) or "")))
        yield from _codes(fields.get("error"), depth - 1)


def _status_in(body: Any, depth: int = 3) -> int | None:
    """An HTTP status in the error itself: `code`, `status` or `status_code`, as a number or as text."""
    if isinstance(body, list) and body:
        body = cast(list[Any], body)[0]
    if not isinstance(body, dict) or not depth:
        return None
    fields = cast(dict[str, Any], body)
    for name in ("code", "status_code", "status"):
        if _STATUS.fullmatch(str(fields.get(name))):
            return int(fields[name])
    return _status_in(fields.get("error"), depth - 1)


def seconds_to_wait(headers: Mapping[str, str]) -> float | None:
    """`Retry-After`, in seconds or as a date, or OpenAI's `retry-after-ms`. `headers` must be case-insensitive."""
    try:
        if milliseconds := headers.get("retry-after-ms"):
            return max(float(milliseconds) / 1000, 0.0)
        return max(float(headers.get("retry-after", "")), 0.0)
    except ValueError:
        pass
    try:
        date = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max((date - datetime.now(UTC)).total_seconds(), 0.0)
