"""The bodies of chat requests; the limits are those of `contracts.chat`."""

from typing import Annotated, Any, Self

from fastapi import Depends, Header, Query
from pydantic import BaseModel, Field, model_validator

from contracts.chat import (
    MAX_DECISIONS,
    ClientRequestId,
    ConversationTitle,
    Decision,
    Effort,
    Instructions,
    MessageText,
    ModelId,
    SummaryText,
)
from contracts.errors import ValidationFailed
from contracts.ids import Id
from contracts.run_events import EventId


class NewMessage(BaseModel):
    """`client_request_id`: idempotency key; repeating it returns the same run. `note_id`: the note that is open.
    `parent_message_id`: the message that the sender saw last, null for none. If the conversation's current branch does
    not end with it, the message is refused (`stale_branch`, with `current_message_id`); left out, nothing is checked.
    `model`: one of `/api/models`, which answers from now on in this conversation; `effort`: one of its `reasoning`,
    null for its own; left out, what was chosen stays."""

    message: MessageText
    conversation_id: Id | None = None
    parent_message_id: Id | None = None
    client_request_id: ClientRequestId | None = None
    note_id: Id | None = None
    model: ModelId | None = None
    effort: Effort | None = None

    @model_validator(mode="after")
    def _parent_has_conversation(self) -> Self:
        if self.parent_message_id is not None and self.conversation_id is None:
            raise ValueError("parent_message_id needs the conversation_id of its conversation")
        return self


class AnotherAnswer(BaseModel):
    """What the replaced answers did to notes is taken back first. `keep_conflicts`: notes that somebody has changed
    since may stay as they are; without it, one such note refuses the request (`changes_conflict`) and nothing is done.
    """

    client_request_id: ClientRequestId | None = None
    keep_conflicts: bool = False


class EditedMessage(AnotherAnswer):
    message: MessageText


class EditedSummary(BaseModel):
    text: SummaryText


class Decisions(BaseModel):
    """Decisions on tool calls that wait for approval. All of them are applied, or none."""

    decisions: Annotated[list[Decision], Field(min_length=1, max_length=MAX_DECISIONS)]


class NewConversation(BaseModel):
    title: ConversationTitle | None = None
    instructions: Instructions = ""
    model: ModelId | None = None
    effort: Effort | None = None


class ConversationPatch(BaseModel):
    """Any of the fields; those left out stay as they are."""

    title: ConversationTitle = ""
    instructions: Instructions = ""
    model: Annotated[ModelId, Field(description="One of `/api/models`.")] = ""
    effort: Annotated[Effort | None, Field(description="One of the model's `reasoning`; null for its own.")] = None
    current_message_id: Annotated[
        Id, Field(description="Shows the branch with this message; of several, the newest.")
    ] = ""

    @model_validator(mode="before")
    @classmethod
    def _not_empty(cls, data: Any) -> Any:
        if isinstance(data, dict) and not cls.model_fields.keys() & data.keys():
            raise ValueError("name at least one of title, instructions, model, effort, current_message_id")
        return data  # pyright: ignore[reportUnknownVariableType]


EVENT_ID = r"^([0-9]{1,9}\.)?[0-9]{1,15}$"


async def _after(
    last_event_id: Annotated[str | None, Header(description="The last event that you have.")] = None,
    after: Annotated[str, Query(pattern=EVENT_ID, description="As Last-Event-ID, which goes first.")] = "0",
) -> EventId:
    try:
        return EventId.parse(last_event_id or after)
    except ValueError as error:
        raise ValidationFailed(errors=[{"field": "Last-Event-ID", "message": "Must be an event's id"}]) from error


After = Annotated[EventId, Depends(_after)]
