"""Errors inside a run. Requests raise `contracts.errors`; these never leave the service."""

from contracts.run_events import ErrorCode


class LeaseLost(Exception):
    """The run has been claimed by another worker, or is over: this attempt may not write any more."""


class ModelFailed(Exception):
    """The model did not answer. `message` is shown to the user and holds no secrets."""

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        retryable: bool,
        retry_after: float | None = None,
        reason: str | None = None,
    ) -> None:
        """`retry_after`: seconds that the provider asked for. `reason`: the cause, where it is finer than the code:
        `loading`, `unknown_model`, `moderated`, `too_long`."""
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
        self.reason = reason or code


class RequestRefused(ModelFailed):
    """The model's server does not take the request as it is; in a simpler form it may. `text`: what the server said,
    for finding the part that it means; it is neither shown nor logged."""

    def __init__(self, message: str, text: str, *, is_about_tools: bool = False) -> None:
        super().__init__("model_rejected", message, retryable=False)
        self.text = text
        self.is_about_tools = is_about_tools


class ContextTooLong(ModelFailed):
    """The request has more tokens than the model takes. `limit`: how many those are, if the server said so."""

    def __init__(self, message: str, limit: int | None) -> None:
        super().__init__("model_rejected", message, retryable=False, reason="too_long")
        self.limit = limit
