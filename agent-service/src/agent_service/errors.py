"""What can go wrong inside a run. Requests raise `contracts.errors`; these never leave the service."""

from contracts.run_events import ErrorCode


class LostRun(Exception):
    """Another worker has this run by now: whatever this one still wants to write is void."""


class ModelFailed(Exception):
    """The model did not answer. `message` is for the user to read and holds no secrets."""

    def __init__(self, code: ErrorCode, message: str, *, retryable: bool, retry_after: float | None = None) -> None:
        """`retry_after`: seconds the provider asked us to wait."""
        super().__init__(message)
        self.code: ErrorCode = code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after
