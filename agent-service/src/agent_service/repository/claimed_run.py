"""A run and the right to write for it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.chat import ApprovalPolicy, Mode, RunError, RunStatus
from contracts.run_events import Usage


@dataclass(frozen=True)
class Terms:
    """What a worker claims a run for: the lease, and the models that it has. `model`: the default, which answers where
    the chosen one is not among `models`."""

    lease: timedelta
    model: str
    mode: Mode
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClaimedRun:
    """A run and the right to write for it: `attempt`. `message_id`: the user's message that it answers. `instructions`:
    those of the conversation; `user_instructions`: the user's for all conversations. `crashes`: claims that ended
    without a result since the run was created or last waited. `allowed_tools`: those that require no approval in this
    conversation. `first_message`: what the user wrote, if the model gets nothing else of the conversation; None if it
    has to be read. `effort`: as much the model is to reason, if it knows this effort; None: as much as it does."""

    id: str
    user_id: str
    username: str
    conversation_id: str
    message_id: str
    note_id: str | None
    status: RunStatus
    attempt: int
    last_event_id: str
    model: str
    created_at: datetime
    cancel_requested: bool
    overdue: bool
    instructions: str
    user_instructions: str
    approval: ApprovalPolicy
    allowed_tools: list[str]
    crashes: int
    usage: Usage
    error: RunError | None
    finish_reason: str | None
    first_message: str | None = None
    effort: str | None = None
