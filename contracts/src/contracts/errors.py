"""All errors that a user can get: the code, the HTTP status, and the default message of each.

    DomainError
    ├── AuthRequired        401        ├── PayloadTooLarge     413
    ├── InvalidCredentials  401        ├── ValidationFailed    422  errors
    ├── Forbidden           403        ├── RateLimited         429  retry_after
    ├── NotFound            404        ├── ServiceUnavailable  503  retry_after
    ├── UsernameTaken       409        └── Internal            500
    ├── RunActive           409  run_id
    ├── ChangesConflict     409  conflicts
    ├── StaleBranch         409  current_message_id
    ├── QuotaExceeded       409
    ├── UploadConflict      409  offset
    ├── CursorExpired       410
    └── VersionConflict     412  current

A service raises one of these; the rpc layer carries it over the broker; the gateway answers it as problem+json
(RFC 9457). Anything else a service raises is logged there and reaches the caller as `Internal`, without detail.
"""

from typing import Any, ClassVar


class DomainError(Exception):
    """An error that is reported to the caller.

    A subclass's docstring is its default message. `details` are the problem's extension members: JSON values.
    """

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(self, message: str | None = None, **details: Any) -> None:
        self.message = message or (type(self).__doc__ or self.code).strip()
        self.details = details
        super().__init__(self.message)


class AuthRequired(DomainError):
    """Sign in first."""

    code = "auth_required"
    status = 401


class InvalidCredentials(DomainError):
    """The username or the password is wrong."""

    code = "invalid_credentials"
    status = 401


class Forbidden(DomainError):
    """This is not allowed."""

    code = "forbidden"
    status = 403


class NotFound(DomainError):
    """There is no such thing, or it is not yours."""

    code = "not_found"
    status = 404


class UsernameTaken(DomainError):
    """This username is taken."""

    code = "username_taken"
    status = 409


class SignUpClosed(DomainError):
    """New accounts are not open to everybody here: ask whoever runs this server for one."""

    code = "sign_up_closed"
    status = 403


class RunActive(DomainError):
    """The assistant is still answering in this conversation."""

    code = "run_active"
    status = 409

    def __init__(self, message: str | None = None, *, run_id: str) -> None:
        super().__init__(message, run_id=run_id)


class ChangesConflict(DomainError):
    """Someone has changed a note since the assistant did."""

    code = "changes_conflict"
    status = 409

    def __init__(self, message: str | None = None, *, conflicts: list[dict[str, Any]]) -> None:
        """`conflicts`: as in `UndoneRun`."""
        super().__init__(message, conflicts=conflicts)


class StaleBranch(DomainError):
    """The conversation has gone on in another place: look at it, and send the message again."""

    code = "stale_branch"
    status = 409

    def __init__(self, message: str | None = None, *, current_message_id: str | None) -> None:
        """`current_message_id`: the last message of the branch that the conversation shows."""
        super().__init__(message, current_message_id=current_message_id)


class QuotaExceeded(DomainError):
    """Your account is full."""

    code = "quota_exceeded"
    status = 409


class UploadConflict(DomainError):
    """The upload is at another place: ask where, and go on from there."""

    code = "upload_conflict"
    status = 409

    def __init__(self, message: str | None = None, *, offset: int) -> None:
        """`offset`: bytes that were received so far."""
        super().__init__(message, offset=offset)


class CursorExpired(DomainError):
    """The changes since then are no longer available: load everything again."""

    code = "cursor_expired"
    status = 410


class VersionConflict(DomainError):
    """Someone else changed this note since you read it."""

    code = "version_conflict"
    status = 412

    def __init__(self, message: str | None = None, *, current: dict[str, Any]) -> None:
        super().__init__(message, current=current)


class PayloadTooLarge(DomainError):
    """This is too large."""

    code = "payload_too_large"
    status = 413


class ValidationFailed(DomainError):
    """Some of the values are not valid."""

    code = "validation_failed"
    status = 422

    def __init__(self, message: str | None = None, *, errors: list[dict[str, Any]]) -> None:
        """`errors`: `[{"field": "title", "message": "…"}]`, for a person to read beside the field."""
        super().__init__(message, errors=errors)


class RateLimited(DomainError):
    """Too many requests: wait a moment."""

    code = "rate_limited"
    status = 429

    def __init__(self, message: str | None = None, *, retry_after: int) -> None:
        """`retry_after`: whole seconds, at least 1."""
        super().__init__(message, retry_after=retry_after)


class ServiceUnavailable(DomainError):
    """A part of Inkstream is not answering: try again in a moment."""

    code = "service_unavailable"
    status = 503

    def __init__(self, message: str | None = None, *, retry_after: int = 2) -> None:
        """`retry_after`: whole seconds, at least 1."""
        super().__init__(message, retry_after=retry_after)


class Internal(DomainError):
    """Something went wrong on our side. It has been logged."""

    code = "internal"
    status = 500


BY_CODE: dict[str, type[DomainError]] = {error.code: error for error in DomainError.__subclasses__()}


def rebuild(code: str, message: str, details: dict[str, Any]) -> DomainError:
    """The error that another service raised; `Internal` for a code this version does not know."""
    return BY_CODE.get(code, Internal)(message, **details)
