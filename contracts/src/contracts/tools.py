"""The registry of the assistant's tools: each with its name, arguments, effect and labels, defined here once.

The agent service binds an implementation to every tool, the page gets names, effects and labels as generated code
(`make types`). **A new tool** is a class of arguments and an entry in `TOOLS`; type checks and a test then demand its
implementation.
"""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from contracts import notes
from contracts.chat import ApprovalPolicy
from contracts.ids import Id

ToolEffect = Literal["reads", "creates", "changes", "deletes"]
"""What a tool does to notes, at worst."""

EFFECTS_REQUIRING_APPROVAL: dict[ApprovalPolicy, frozenset[ToolEffect]] = {
    "always": frozenset({"creates", "changes", "deletes"}),
    "destructive": frozenset({"deletes"}),
    "never": frozenset(),
}

LIST_MAX = 50
"""Notes in one result of `list_notes` or `search_notes`."""


class ToolArguments(BaseModel):
    """What the model may fill in; it can never name a user. Unknown arguments are refused: ignoring one would silently
    drop a text that the model put in the wrong place."""

    model_config = ConfigDict(extra="forbid")


NoteId = Annotated[Id, Field(description="The note's id")]
BodyText = Annotated[notes.Body, Field(description="The text, in Markdown")]
NewBodyText = Annotated[notes.Body, Field(description="The whole new text, for the one that you have read")]
TagList = Annotated[notes.Tags, Field(description="All tags the note is to have")]
Limit = Annotated[int, Field(ge=1, le=LIST_MAX, description="How many notes at most")]
ReadVersion = Annotated[
    notes.Version, Field(description="The version that the change is made on; without it, the one you saw last")
]
EditedVersion = Annotated[
    notes.Version, Field(description="The version to make it on; without it, what the note says by then")
]
FindText = Annotated[str, Field(min_length=1, description="Text to replace, exactly as it stands, occurring once")]
AppendText = Annotated[str, Field(min_length=1, description="Text to add at the end, on a new line")]


class ListNotes(ToolArguments):
    limit: Limit = 20
    tag: Annotated[notes.Tag, Field(description="Only notes with this tag")] | None = None
    archived: Annotated[bool, Field(description="The archived notes instead of the others")] = False
    cursor: Annotated[str, Field(max_length=1000, description="`next_cursor` of the page before")] | None = None


class SearchNotes(ToolArguments):
    query: Annotated[notes.SearchQuery, Field(description="Words to look for")]
    limit: Limit = 10


class ReadNote(ToolArguments):
    note_id: NoteId


class CreateNote(ToolArguments):
    title: Annotated[notes.Title, Field(description="The title")]
    body: BodyText = ""
    tags: TagList = Field(default_factory=list)


class UpdateNote(ToolArguments):
    note_id: NoteId
    title: notes.Title | None = None
    body: NewBodyText | None = None
    tags: TagList | None = None
    pinned: bool | None = None
    archived: bool | None = None
    expected_version: ReadVersion | None = None

    @property
    def changes(self) -> dict[str, Any]:
        """The note's fields to change, with their new values."""
        return self.model_dump(exclude={"note_id", "expected_version"}, exclude_none=True)

    @model_validator(mode="after")
    def _changes_something(self) -> "UpdateNote":
        if not self.changes:
            raise ValueError("give at least one of `title`, `body`, `tags`, `pinned`, `archived`")
        return self


class EditNote(ToolArguments):
    note_id: NoteId
    find: FindText | None = None
    replace: Annotated[str, Field(description="What to put in its place; empty to remove it")] | None = None
    append: AppendText | None = None
    expected_version: EditedVersion | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "EditNote":
        if self.find is None and (self.append is None or self.replace is not None):
            raise ValueError("give `find` and `replace`, or `append`, or all three")
        return self


class DeleteNote(ToolArguments):
    note_id: NoteId


class ToolLabels(BaseModel):
    """What the page calls a call of the tool. `request`: in a question for approval; then while it runs, after it
    succeeded, and after it failed. `with_title`: the note's title follows."""

    model_config = ConfigDict(frozen=True)

    request: str
    running: str
    done: str
    failed: str
    with_title: bool = True


ArgumentsT = TypeVar("ArgumentsT", bound=ToolArguments)


class Tool(BaseModel, Generic[ArgumentsT]):
    """`description` is for the model, `labels` are for people."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str
    arguments: type[ArgumentsT]
    effect: ToolEffect
    labels: ToolLabels

    def requires_approval(self, policy: ApprovalPolicy) -> bool:
        """Whether a call is made only after the user's approval, by the user's setting."""
        return self.effect in EFFECTS_REQUIRING_APPROVAL[policy]

    def schema_of_arguments(self) -> dict[str, Any]:
        """JSON Schema in the simple form that every model server accepts: an optional argument is not nullable too."""
        schema = self.arguments.model_json_schema()
        properties: dict[str, Any] = {}
        for name, value in schema.get("properties", {}).items():
            rest = {key: item for key, item in value.items() if key not in ("title", "default", "anyOf")}
            if "anyOf" in value:
                (only,) = [option for option in value["anyOf"] if option.get("type") != "null"]
                rest = only | rest
            properties[name] = rest
        return {
            "type": "object",
            "properties": properties,
            "required": schema.get("required", []),
            "additionalProperties": False,
        }


LIST_NOTES = Tool(
    name="list_notes",
    description="Lists the user's notes, pinned first, then newest, with a preview of each, page by page.",
    arguments=ListNotes,
    effect="reads",
    labels=ToolLabels(
        request="Look through your notes",
        running="Looking through your notes",
        done="Looked through your notes",
        failed="Could not list your notes",
        with_title=False,
    ),
)
READ_NOTE = Tool(
    name="read_note",
    description="Reads one note whole.",
    arguments=ReadNote,
    effect="reads",
    labels=ToolLabels(request="Read", running="Reading", done="Read", failed="Could not read"),
)
SEARCH_NOTES = Tool(
    name="search_notes",
    description="Finds notes by the words in their title, body and tags.",
    arguments=SearchNotes,
    effect="reads",
    labels=ToolLabels(
        request="Search your notes",
        running="Searching",
        done="Searched",
        failed="Could not search",
        with_title=False,
    ),
)
CREATE_NOTE = Tool(
    name="create_note",
    description="Creates a note.",
    arguments=CreateNote,
    effect="creates",
    labels=ToolLabels(request="Create", running="Creating", done="Created", failed="Could not create"),
)
UPDATE_NOTE = Tool(
    name="update_note",
    description="Changes fields of a note; fields left out stay as they are. "
    "To change part of a text, use edit_note instead.",
    arguments=UpdateNote,
    effect="changes",
    labels=ToolLabels(request="Change", running="Changing", done="Changed", failed="Could not change"),
)
DELETE_NOTE = Tool(
    name="delete_note",
    description="Moves a note to the trash, from where the user can restore it.",
    arguments=DeleteNote,
    effect="deletes",
    labels=ToolLabels(request="Delete", running="Deleting", done="Deleted", failed="Could not delete"),
)
EDIT_NOTE = Tool(
    name="edit_note",
    description="Changes a part of a note's text: replaces one exact piece of it, or appends to it.",
    arguments=EditNote,
    effect="changes",
    labels=ToolLabels(request="Edit", running="Editing", done="Edited", failed="Could not edit"),
)

TOOLS: dict[str, Tool[Any]] = {
    tool.name: tool for tool in (LIST_NOTES, READ_NOTE, SEARCH_NOTES, CREATE_NOTE, UPDATE_NOTE, DELETE_NOTE, EDIT_NOTE)
}
"""By name, in the order in which the model is given them."""
