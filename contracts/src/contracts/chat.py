"""The agent service's operations with their request and response models: conversations, messages, runs."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, JsonValue, StringConstraints

from contracts.actor import Actor, CallId
from contracts.ids import Id
from contracts.note_history import UndoneNote
from contracts.operation import Empty, Operation
from contracts.run_events import Amount, CallWaiting, Usage
from contracts.text import no_nul

MESSAGE_MAX_CHARACTERS = 32_000
CONVERSATION_TITLE_MAX_CHARACTERS = 200
INSTRUCTIONS_MAX_CHARACTERS = 8_000
SUMMARY_MAX_CHARACTERS = 16_000
MESSAGES_PAGE_MAX = 500
"""Messages of a conversation that are read at once."""

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
SummaryText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=SUMMARY_MAX_CHARACTERS),
    AfterValidator(no_nul),
]
ModelId = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(no_nul)]
"""The name of a model in Inkstream: the `id` of an `AvailableModel`."""
Effort = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(no_nul)]
"""How much a model is to reason before it answers: one of its `AvailableModel.reasoning`."""
ClientRequestId = Annotated[str, StringConstraints(min_length=1, max_length=100), AfterValidator(no_nul)]

RunStatus = Literal["queued", "running", "waiting", "completed", "failed", "cancelled"]
"""`waiting`: for the user's approval of a tool call. The last three are final."""

Mode = Literal["live", "demo"]

ApprovalPolicy = Literal["always", "destructive", "never"]
"""Which of the assistant's changes to notes require the user's approval: all, those that delete, or none."""

REASON_MAX_CHARACTERS = 2_000
MAX_DECISIONS = 100
USAGE_MAX_DAYS = 366


class ModelStatus(BaseModel):
    """Which model answers. `demo`: the built-in one, which needs no provider. `tools`: false once its server has
    refused to offer it tools; then it answers, and can neither read nor change notes.
    """

    mode: Mode
    model: str
    provider: str
    tools: bool = True


class AvailableModel(BaseModel):
    """A model that may be chosen. `context_window`: in tokens, where it is known; `images`: whether it reads them;
    `reasoning`: the efforts that it knows; `price_in`, `price_out`: of a million tokens."""

    id: ModelId
    label: str
    provider: str
    context_window: int | None = None
    images: bool = False
    reasoning: list[str] = []
    price_in: Amount | None = None
    price_out: Amount | None = None


class AvailableModels(BaseModel):
    """`default`: the id of the model that answers where none is chosen. `currency`: of the prices (ISO 4217), if there
    are any."""

    models: list[AvailableModel]
    default: ModelId
    currency: str | None = None


class ToolCall(BaseModel):
    """One call of a tool. `arguments` as the model sent them; `result` as the model received it, cut at 4 KiB."""

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
    """`status` of an assistant's message: `complete`, or how its run ended before the message was whole. `siblings`:
    the ids of all versions of this message, itself included, oldest first; empty if it has only one. `undone`: the
    changes that its run made to notes were undone. `model`: the one that wrote an assistant's message; `usage`: of
    its run. `run_status`, `error`: of its run; a run that ended early may have no message of the assistant.
    `finish_reason`: of an assistant's message, why the model ended its run's last response: `stop`, `length` (its
    output limit), `content_filter`, or another word of its server."""

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
    finish_reason: str | None = None


class ConversationSummary(BaseModel):
    """`model`: the one that was chosen for it; None, or one that is no longer available: the default answers. `effort`:
    the one that was chosen for it, where its model knows it; None: the model's own."""

    id: Id
    title: str
    instructions: str
    created_at: datetime
    updated_at: datetime
    model: str | None = None
    effort: str | None = None
    active_run_id: Id | None = None


class Summary(BaseModel):
    """What the model is sent instead of the messages up to `message_id`. `model`: the one that wrote it; `edited_at`:
    when the user last changed it."""

    message_id: Id
    text: str
    model: str
    created_at: datetime
    edited_at: datetime | None = None


class Conversation(ConversationSummary):
    """`messages`: those of the current branch, or some of them; the last one of all is `current_message_id`.
    `has_earlier`: there are others before them. `summary`: the newest on the branch. `left_out_until`: the last message
    that the model which answered last was sent neither itself nor in a summary; those before it that come after the
    summary were not sent either."""

    messages: list[Message]
    current_message_id: Id | None = None
    has_earlier: bool = False
    summary: Summary | None = None
    left_out_until: Id | None = None


class ConversationPage(BaseModel):
    conversations: list[ConversationSummary]
    next_cursor: str | None = None


class ConversationUsage(BaseModel):
    """How many conversations a user has, and may have."""

    conversations: int
    conversations_max: int


class ModelDay(Usage):
    """What one model was used on one day, in UTC: by answers that stay and by those that were deleted since."""

    day: date
    model: str


class DailyUsage(BaseModel):
    """Newest day first, of each the model that cost most."""

    days: list[ModelDay]


class Run(BaseModel):
    """`attempt` counts the claims of the run by workers; `last_event_id`, `<attempt>.<number>`, is the newest event
    stored so far. `model`: the one that answers; empty while that is open. `pending`: the tool calls that wait for a
    decision."""

    id: Id
    conversation_id: Id
    status: RunStatus
    attempt: int
    last_event_id: str
    model: str = ""
    usage: Usage
    created_at: datetime
    finished_at: datetime | None = None
    error: RunError | None = None
    pending: list[CallWaiting] = []


class RebuiltEvent(BaseModel):
    """A finished run's event, rebuilt from the database after the stream has dropped the original."""

    id: int
    event: str
    data: dict[str, Any]


class RebuiltEvents(BaseModel):
    events: list[RebuiltEvent]


class RetainedEvent(BaseModel):
    """A run's event exactly as it was published: `data` is its JSON, `attempt` the attempt that published it."""

    id: int
    attempt: int
    event: str
    data: str


class RetainedEvents(BaseModel):
    """In order and without a gap; empty where no more are retained."""

    events: list[RetainedEvent]


class ChatRequest(BaseModel):
    actor: Actor


class RunRequest(ChatRequest):
    """What starts a run. The caller chooses `run_id`, so that it can subscribe before the first event. If a run with
    this `client_request_id` exists, nothing starts and that run is returned.

    `username`: what the assistant calls the user; `note_id`: the note that the user has open; `approval` and
    `instructions`: the user's settings, which apply for the whole run.
    Raises `RunActive` while the conversation has an unfinished run, `NotFound` for a foreign conversation.
    """

    run_id: Id
    username: str = ""
    client_request_id: ClientRequestId | None = None
    note_id: Id | None = None
    approval: ApprovalPolicy = "destructive"
    instructions: Instructions = ""


class StartRun(RunRequest):
    """A message at the end of the conversation's current branch, or in a new conversation.

    `parent_message_id`: the message that the sender saw last, None if the sender saw an empty conversation; left out,
    nothing is checked. Raises `StaleBranch` if the current branch does not end with it. `model`: answers from now on in
    this conversation; `effort`: as much it reasons, None: as much as it does by itself; left out, what was chosen
    stays. Raises `ValidationFailed` for a model that is not available, and an effort that none has."""

    message: MessageText
    conversation_id: Id | None = None
    parent_message_id: Id | None = None
    model: ModelId | None = None
    effort: Effort | None = None

    @property
    def names_parent(self) -> bool:
        return "parent_message_id" in self.model_fields_set

    @property
    def names_effort(self) -> bool:
        return "effort" in self.model_fields_set


class EditMessage(RunRequest):
    """A new version of an earlier message of the user, which begins a branch. The messages after the old one stay."""

    conversation_id: Id
    message_id: Id
    message: MessageText


class Regenerate(RunRequest):
    """A new version of an earlier answer (or a new answer to an earlier message), which begins a branch."""

    conversation_id: Id
    message_id: Id


class RunStarted(BaseModel):
    run_id: Id
    conversation_id: Id


class RunRef(ChatRequest):
    run_id: Id


class ReadRetainedEvents(RunRef):
    """The events after number `after` of attempt `after_attempt`, and those of later attempts, that the run had
    published before it last waited for approval: a wait may be longer than the log's retention. Returns about 256 KiB
    at a time."""

    after: Annotated[int, Field(ge=0)] = 0
    after_attempt: Annotated[int, Field(ge=1)] = 1


class Decision(BaseModel):
    """Whether a pending call may be made. `remember`: from then on calls of the same tool require no approval in this
    conversation. `reason`: why not; the assistant gets it."""

    call_id: CallId
    approve: bool
    remember: Literal["conversation"] | None = None
    reason: Annotated[str, StringConstraints(max_length=REASON_MAX_CHARACTERS), AfterValidator(no_nul)] | None = None


class DecideCalls(RunRef):
    """Applies all of the decisions or none. Raises `NotFound` for an unknown run or call, `ValidationFailed` for a call
    that is not pending."""

    decisions: Annotated[list[Decision], Field(min_length=1, max_length=MAX_DECISIONS)]


class ListConversations(ChatRequest):
    limit: Annotated[int, Field(ge=1, le=100)] = 50
    cursor: str | None = Field(default=None, max_length=1000)
    q: Annotated[str, Field(max_length=400), AfterValidator(no_nul)] | None = None


class ListDailyUsage(ChatRequest):
    """Of the last `days` days, today included."""

    days: Annotated[int, Field(ge=1, le=USAGE_MAX_DAYS)] = 30


class CreateConversation(ChatRequest):
    """Raises `ValidationFailed` for a model that is not available, and an effort that none has."""

    title: ConversationTitle | None = None
    instructions: Instructions = ""
    model: ModelId | None = None
    effort: Effort | None = None


class ConversationRef(ChatRequest):
    conversation_id: Id


class GetConversation(ConversationRef):
    """The newest messages, or the newest of those before the message `before`, on the branch that ends there. They
    begin with a message of the user and are `limit`, or some more for that; fewer, if they are more than about 1 MiB.
    Raises `NotFound`, also for `before`."""

    limit: Annotated[int, Field(ge=1, le=MESSAGES_PAGE_MAX)] = MESSAGES_PAGE_MAX
    before: Id | None = None


class UpdateSummary(ConversationRef):
    """The model gets this text from then on. Raises `NotFound` if there is no summary up to this message."""

    message_id: Id
    text: SummaryText


class FindReplacedRuns(ConversationRef):
    """Which runs would be replaced by another version of the message, or by another answer to it: all that follow the
    point at which the new branch begins. Raises what would refuse the new run, so that nothing is taken back for it:
    `RunActive` while the conversation has an unfinished run, `RateLimited`, `NotFound`, and `ValidationFailed` where an
    `edited` message is the assistant's."""

    message_id: Id
    edited: bool
    client_request_id: ClientRequestId | None = None


class ReplacedRuns(BaseModel):
    """Newest first, without those that were undone. Empty if the request has started its run before."""

    run_ids: list[Id]


class RunRestarted(RunStarted):
    """`undone`: what the replaced answers had changed and was taken back before the run began."""

    undone: list[UndoneNote] = []


class UpdateConversation(ConversationRef):
    """Changes the fields that are named. `effort`: None for the model's own. Raises `ValidationFailed` for a model that
    is not available, and an effort that none has."""

    title: ConversationTitle | None = None
    instructions: Instructions | None = None
    model: ModelId | None = None
    effort: Effort | None = None
    current_message_id: Id | None = None
    """Makes the branch with this message the current one; if it has several ends, the newest."""

    @property
    def names_effort(self) -> bool:
        return "effort" in self.model_fields_set


QUEUE_GROUP = "agent-service"

STATUS = Operation("agent.status", Empty, ModelStatus)
MODELS = Operation("agent.models", Empty, AvailableModels)
RUN_START = Operation("agent.run.start", StartRun, RunStarted)
RUN_EDIT = Operation("agent.run.edit", EditMessage, RunStarted)
RUN_REGENERATE = Operation("agent.run.regenerate", Regenerate, RunStarted)
RUN_REPLACED = Operation("agent.run.replaced", FindReplacedRuns, ReplacedRuns)
RUN_GET = Operation("agent.run.get", RunRef, Run)
RUN_CANCEL = Operation("agent.run.cancel", RunRef, Run)
RUN_DECIDE = Operation("agent.run.decide", DecideCalls, Run)
RUN_UNDONE = Operation("agent.run.undone", RunRef, Empty)
"""Records that the changes which the run made to notes were undone."""
RUN_REPLAY = Operation("agent.run.replay", RunRef, RebuiltEvents)
RUN_RETAINED_EVENTS = Operation("agent.run.kept", ReadRetainedEvents, RetainedEvents)
CONVERSATION_LIST = Operation("agent.conversation.list", ListConversations, ConversationPage)
CONVERSATION_CREATE = Operation("agent.conversation.create", CreateConversation, Conversation)
CONVERSATION_GET = Operation("agent.conversation.get", GetConversation, Conversation)
CONVERSATION_UPDATE = Operation("agent.conversation.update", UpdateConversation, ConversationSummary)
CONVERSATION_SUMMARY_UPDATE = Operation("agent.conversation.update_summary", UpdateSummary, Summary)
CONVERSATION_USAGE = Operation("agent.conversation.usage", ChatRequest, ConversationUsage)
USAGE_DAILY = Operation("agent.usage.daily", ListDailyUsage, DailyUsage)
CONVERSATION_DELETE = Operation("agent.conversation.delete", ConversationRef, Empty)
