"""What an error of a provider is taken for."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from agent_service.models.wire import provider_errors as messages
from agent_service.models.wire.provider_errors import failure, seconds_to_wait


def error(message: str = "", **fields: Any) -> dict[str, Any]:
    return {"error": {"message": message, **fields}}


@pytest.mark.parametrize(
    ("status", "body", "code", "message", "retryable"),
    [
        (400, error("This model's maximum context length is 8192 tokens."), "model_rejected", messages.TOO_LONG, False),
        (400, error("the request exceeds the available context size"), "model_rejected", messages.TOO_LONG, False),
        (400, error("x", code="context_length_exceeded"), "model_rejected", messages.TOO_LONG, False),
        (400, error("prompt is too long: 210000 tokens > 200000 maximum"), "model_rejected", messages.TOO_LONG, False),
        (413, "", "model_rejected", messages.TOO_LONG, False),
        (500, error("Requested tokens exceed context window of 2048"), "model_rejected", messages.TOO_LONG, False),
        (400, error("gemma:2b does not support tools"), "model_rejected", messages.NO_TOOLS, False),
        (404, error("No endpoints found that support tool use"), "model_rejected", messages.NO_TOOLS, False),
        (401, error("Incorrect API key provided: sk-abc"), "model_rejected", messages.KEY, False),
        (401, "", "model_rejected", messages.KEY, False),
        (
            400,
            error("API key not valid.", status="INVALID_ARGUMENT", code="invalid_api_key"),
            "model_rejected",
            messages.KEY,
            False,
        ),
        (402, error("Insufficient Balance"), "model_rejected", messages.CREDIT, False),
        (400, error("Your credit balance is too low"), "model_rejected", messages.CREDIT, False),
        (
            429,
            error("You exceeded your current quota", code="insufficient_quota"),
            "rate_limited",
            messages.QUOTA,
            False,
        ),
        (429, error("Rate limit reached"), "rate_limited", messages.BUSY, True),
        (429, [error("Quota exceeded", status="RESOURCE_EXHAUSTED")], "rate_limited", messages.BUSY, True),
        (429, error("The engine is currently overloaded"), "model_unavailable", messages.OVERLOADED, True),
        (403, error("Your input was flagged"), "model_rejected", messages.MODERATED, False),
        (400, error("x", code="content_filter"), "model_rejected", messages.MODERATED, False),
        (403, {"detail": "Forbidden"}, "model_rejected", messages.FORBIDDEN, False),
        (404, error("model 'llama9' not found"), "model_rejected", messages.UNKNOWN_MODEL, False),
        (
            404,
            error("The model `gpt-9` does not exist or you do not have access to it."),
            "model_rejected",
            messages.UNKNOWN_MODEL,
            False,
        ),
        (400, error("gpt-9 is not a valid model ID"), "model_rejected", messages.UNKNOWN_MODEL, False),
        (404, {"detail": "Not Found"}, "model_rejected", messages.NOT_A_SERVER, False),
        (404, "404 page not found", "model_rejected", messages.NOT_A_SERVER, False),
        (503, error("Loading model"), "model_unavailable", messages.LOADING, True),
        (
            503,
            {"error": "Model org/name is currently loading", "estimated_time": 20},
            "model_unavailable",
            messages.LOADING,
            True,
        ),
        (503, "", "model_unavailable", messages.UNREACHABLE, True),
        (529, error("Overloaded", type="overloaded_error"), "model_unavailable", messages.OVERLOADED, True),
        (500, error("The model does not exist"), "model_unavailable", messages.SERVER_ERROR, True),
        (400, error("temperature: unsupported", type="server_error"), "model_rejected", messages.REFUSED, False),
        (422, {"detail": [{"msg": "Extra inputs are not permitted"}]}, "model_rejected", messages.REFUSED, False),
        (None, {"error": {"code": "429", "message": "x"}}, "rate_limited", messages.BUSY, True),
        (None, {"error": {"status_code": 400, "message": "x"}}, "model_rejected", messages.REFUSED, False),
        (None, {"error": "something"}, "model_unavailable", messages.SERVER_ERROR, True),
    ],
)
def test_meaning(status: int | None, body: Any, code: str, message: str, retryable: bool) -> None:
    failed = failure(status, body)
    assert (failed.code, failed.message, failed.retryable) == (code, message, retryable)
    assert "sk-" not in failed.message


def test_reason() -> None:
    assert failure(503, error("Loading model")).reason == "loading"
    assert failure(404, error("model 'x' not found")).reason == "unknown_model"
    assert failure(429, "").reason == "rate_limited"


def test_how_long_to_wait() -> None:
    assert seconds_to_wait({"retry-after": "2.5"}) == 2.5
    assert seconds_to_wait({"retry-after": "-1"}) == 0
    assert seconds_to_wait({"retry-after-ms": "1500", "retry-after": "9"}) == 1.5
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    waited = seconds_to_wait({"retry-after": later})
    assert waited is not None
    assert 27 < waited <= 30
    assert seconds_to_wait({"retry-after": "Fri, 01 Jan 2021 00:00:00 GMT"}) == 0
    for nonsense in ({}, {"retry-after": "soon"}, {"retry-after-ms": "soon"}):
        assert seconds_to_wait(nonsense) is None
    assert failure(429, "", {"retry-after": "3"}).retry_after == 3
    assert failure(400, "", {"retry-after": "3"}).retry_after is None
