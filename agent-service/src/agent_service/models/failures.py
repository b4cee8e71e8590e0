"""Translates errors of the model and the SDK into messages for the user. What a model server sends is translated where
it is read: see `wire/provider_errors.py`."""

from agents.exceptions import MaxTurnsExceeded, ModelBehaviorError, ModelTimeoutError

from agent_service.errors import ModelFailed
from agent_service.models.wire.provider_errors import BROKEN, SILENT

TURNS = "The assistant took too many steps without finishing."
INTERNAL = "Something went wrong on our side. It has been logged."


def to_model_failure(error: BaseException) -> ModelFailed:
    """The failure that corresponds to an error; code `internal` if none of its causes is known."""
    for cause in cause_chain(error):
        if (failed := _known_failure(cause)) is not None:
            return failed
    return ModelFailed("internal", INTERNAL, retryable=True)


def _known_failure(error: BaseException) -> ModelFailed | None:
    failed: ModelFailed | None = None
    match error:
        case ModelFailed():
            failed = error
        case TimeoutError() | ModelTimeoutError():
            failed = ModelFailed("timeout", SILENT, retryable=True)
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
