"""What the agent service is asked and what it answers: conversations, their messages, and runs."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, JsonValue, StringConstraints

from contracts.actor import Actor, CallId
from contracts.ids import Id
from contracts.operation import Empty, Operation
from contracts.run_events import CallWaiting, Usage
from contracts.text import no_nul

MESSAGE_MAX_CHARACTERS = 32_000
CONVERSATION_TITLE_MAX_CHARACTERS = 200
INSTRUCTIONS_MAX_CHARACTERS = 8_000

MessageText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MESSAGE_MAX_CHARACTERS),
    AfterValidator(no_nul),
]
ConversationTitle = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=CONVERSATION_TITLE_MAX_CHARACTERS),
    AfterValidator(no_nul),
]
Instructions = Annotated[str, StringConstraints(max_length=INSTRUCTIONS_MAX_CHARACTERS), AfterValidator(no_nul)]
ClientRequestId = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(no_nul)]

RunStatus = Literal["queued", "running", "waiting", "completed", "failed", "cancelled"]
"""`waiting`: for a person's approval. The last three are final."""

Mode = Literal["live", "demo"]

Approval = Literal["always", "destructive", "never"]
"""Which of the assistant's changes to notes wait for the user's word: all, those that delete, or none."""

REASON_MAX_CHARACTERS = 2_000
MAX_DECISIONS = 100


class ModelStatus(BaseModel):
    """Which model answers. `demo` is the built-in one: real tools, no understanding."""

    mode: Mode
    model: str
    provider: str


class ToolCall(BaseModel):
    """One call of a tool; `arguments` as the model gave them, `result` as the model was told (cut at 4 KiB)."""

    call_id: str
    name: str
    arguments: JsonValue
    status: Literal["running", "ok", "error", "denied"]
    result: JsonValue = None
    duration_ms: int | None = None


class RunError(BaseModel):
    code: str
    message: str
    retryable: bool


class Message(BaseModel):
    """`status` of an assistant's message: `complete`, or how its run ended before it was whole. `siblings`: where there
    are other versions of it, the ids of all of them, itself included, oldest first. `undone`: what its run changed in
    the notes was taken back. `model` and `usage`: of an assistant's message, those of its run. `run_status`, `error`:
    how its run stands; one that ended early may have left no message of the assistant at all."""

    id: Id
    role: Literal["user", "assistant"]
    text: str
    run_id: Id | None = None
    status: Literal["complete", "streaming", "cancelled", "failed"]
    created_at: datetime
    tool_calls: list[ToolCall] = []
    siblings: list[Id] = []
    undone: bool = False
    model: str | None = None
    usage: Usage | None = None
    run_status: RunStatus | None = None
    error: RunError | None = None


class ConversationSummary(BaseModel):
    id: Id
    title: str
    instructions: str
    created_at: datetime
    updated_at: datetime
    active_run_id: Id | None = None


class Conversation(ConversationSummary):
    """`messages` of the present branch, whose last is `current_message_id`."""

    messages: list[Message]
    current_message_id: Id | None = None


class ConversationPage(BaseModel):
    conversations: list[ConversationSummary]
    next_cursor: str | None = None


class Run(BaseModel):
    """`attempt` counts the workers that have had the run; `last_event_id` is the newest event stored so far."""

    id: Id
    conversation_id: Id
    status: RunStatus
    attempt: int
    last_event_id: int
    usage: Usage
    created_at: datetime
    finished_at: datetime | None = None
    error: RunError | None = None
    pending: list[CallWaiting] = []


class StoredEvent(BaseModel):
    """A run's event, rebuilt from what the database keeps once the stream has let it go."""

    id: int
    event: str
    data: dict[str, Any]


class StoredEvents(BaseModel):
    events: list[StoredEvent]


class KeptEvent(BaseModel):
    """A run's event exactly as it was told: `data` is its JSON, `attempt` the worker that told it."""

    id: int
    attempt: int
    event: str
    data: str


class KeptEvents(BaseModel):
    """In order and without a gap; none where no more are kept."""

    events: list[KeptEvent]


class ChatRequest(BaseModel):
    actor: Actor


class NewAnswer(ChatRequest):
    """What starts an answer. `run_id` is the caller's choice, so that it can listen before the first event;
    where `client_request_id` is known already, nothing starts and the earlier run is answered.

    `username` is what the assistant calls the user; `note_id` the note open before them; `approval` and `instructions`
    are the user's settings, which this run keeps to.
    Raises `RunActive` while the conversation has an unfinished run, `NotFound` for a foreign conversation.
    """

    run_id: Id
    username: str = ""
    client_request_id: ClientRequestId | None = None
    note_id: Id | None = None
    approval: Approval = "destructive"
    instructions: Instructions = ""


class StartRun(NewAnswer):
    """A message at the end of the conversation's present branch, or in a new conversation."""

    message: MessageText
    conversation_id: Id | None = None


class EditMessage(NewAnswer):
    """Another message in the place of an earlier one of the user's, on a branch of its own. What followed stays."""

    conversation_id: Id
    message_id: Id
    message: MessageText


class Regenerate(NewAnswer):
    """Another answer in the place of an earlier one (or to an earlier message), on a branch of its own."""

    conversation_id: Id
    message_id: Id


class RunStarted(BaseModel):
    run_id: Id
    conversation_id: Id


class RunRef(ChatRequest):
    run_id: Id


class ReadKept(RunRef):
    """The events after number `after` that the run had told before it last waited for a person: the wait may outlive
    the stream. As many as one answer holds."""

    after: Annotated[int, Field(ge=0)] = 0


class Decision(BaseModel):
    """Whether a call that waits may be made. `remember`: calls of the same tool need no word in this conversation from
    then on. `reason`: why not, for the assistant to hear."""

    call_id: CallId
    approve: bool
    remember: Literal["conversation"] | None = None
    reason: Annotated[str, StringConstraints(max_length=REASON_MAX_CHARACTERS), AfterValidator(no_nul)] | None = None


class DecideCalls(RunRef):
    """All of the decisions count, or none. Raises `NotFound` for a run or a call that is not there, `ValidationFailed`
    for a call that waits no more."""

    decisions: Annotated[list[Decision], Field(min_length=1, max_length=MAX_DECISIONS)]


class ListConversations(ChatRequest):
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: str | None = Field(default=None, max_length=1000)
    q: Annotated[str, Field(max_length=400), AfterValidator(no_nul)] | None = None


class CreateConversation(ChatRequest):
    title: ConversationTitle | None = None
    instructions: Instructions = ""


class ConversationRef(ChatRequest):
    conversation_id: Id


class UpdateConversation(ConversationRef):
    title: ConversationTitle | None = None
    instructions: Instructions | None = None
    current_message_id: Id | None = None
    """Makes the branch with this message the present one; where it has several ends, the newest."""


QUEUE_GROUP = "agent-service"

STATUS = Operation("agent.status", Empty, ModelStatus)
RUN_START = Operation("agent.run.start", StartRun, RunStarted)
RUN_EDIT = Operation("agent.run.edit", EditMessage, RunStarted)
RUN_REGENERATE = Operation("agent.run.regenerate", Regenerate, RunStarted)
RUN_GET = Operation("agent.run.get", RunRef, Run)
RUN_CANCEL = Operation("agent.run.cancel", RunRef, Run)
RUN_DECIDE = Operation("agent.run.decide", DecideCalls, Run)
RUN_UNDONE = Operation("agent.run.undone", RunRef, Empty)
"""Tells that nothing is left in the notes of what the run changed."""
RUN_REPLAY = Operation("agent.run.replay", RunRef, StoredEvents)
RUN_KEPT = Operation("agent.run.kept", ReadKept, KeptEvents)
CONVERSATION_LIST = Operation("agent.conversation.list", ListConversations, ConversationPage)
CONVERSATION_CREATE = Operation("agent.conversation.create", CreateConversation, Conversation)
CONVERSATION_GET = Operation("agent.conversation.get", ConversationRef, Conversation)
CONVERSATION_UPDATE = Operation("agent.conversation.update", UpdateConversation, ConversationSummary)
CONVERSATION_DELETE = Operation("agent.conversation.delete", ConversationRef, Empty)
