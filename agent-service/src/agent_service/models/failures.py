"""Translates errors of the model, its client and the SDK into messages for the user. Providers' own messages may
contain keys; they are only logged."""

import openai
from agents.exceptions import MaxTurnsExceeded, ModelBehaviorError, ModelTimeoutError

from agent_service.errors import ModelFailed

REJECTED = {
    400: "The model's provider refused this request.",
    401: "The model's provider refused the API key.",
    403: "The model's provider does not allow this request.",
    404: "The model's provider does not know this model.",
    413: "The conversation is too long for the model.",
    422: "The model's provider refused this request.",
}
UNAVAILABLE = "The model cannot be reached right now."
BROKEN = "The model's answer could not be used."
BUSY = "The model's provider is busy. Try again in a moment."
SILENT = "The model has been silent for too long."
TURNS = "The assistant took too many steps without coming to an end."
INTERNAL = "Something went wrong on our side. It has been logged."


def to_model_failure(error: BaseException) -> ModelFailed:
    """The failure that an error stands for; code `internal` if none of its causes is known."""
    for cause in cause_chain(error):
        if (failed := _known_failure(cause)) is not None:
            return failed
    return ModelFailed("internal", INTERNAL, retryable=True)


def _known_failure(error: BaseException) -> ModelFailed | None:
    failed: ModelFailed | None = None
    match error:
        case ModelFailed():
            failed = error
        case openai.APIStatusError():
            failed = _from_status(error)
        case openai.APITimeoutError() | TimeoutError() | ModelTimeoutError():
            failed = ModelFailed("timeout", SILENT, retryable=True)
        case openai.APIError():
            failed = _from_stream(error)
        case MaxTurnsExceeded():
            failed = ModelFailed("max_turns", TURNS, retryable=True)
        case ModelBehaviorError():
            failed = ModelFailed("model_unavailable", BROKEN, retryable=True)
        case _:
            pass
    return failed


def cause_chain(error: BaseException) -> list[BaseException]:
    """The error and its causes, outermost first."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__
    return chain


def _from_status(error: openai.APIStatusError) -> ModelFailed:
    if error.status_code == 429:
        exhausted = error.code == "insufficient_quota"
        return ModelFailed("rate_limited", BUSY, retryable=not exhausted, retry_after=_retry_after(error))
    if error.status_code >= 500 or error.status_code in (408, 409):
        return ModelFailed("model_unavailable", UNAVAILABLE, retryable=True, retry_after=_retry_after(error))
    return ModelFailed("model_rejected", REJECTED.get(error.status_code, REJECTED[400]), retryable=False)


def _from_stream(error: openai.APIError) -> ModelFailed:
    """No connection, or an error event in the middle of the response."""
    if error.code == "rate_limit_exceeded":
        return ModelFailed("rate_limited", BUSY, retryable=True)
    return ModelFailed("model_unavailable", UNAVAILABLE, retryable=True)


def _retry_after(error: openai.APIStatusError) -> float | None:
    headers = error.response.headers
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(float(headers[name]) * unit, 0.0)
        except (KeyError, ValueError):  # not given, or a date
            continue
    return None
