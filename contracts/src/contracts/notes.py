"""Requests to the notes service and its responses. The limits are defined here, once, for people and tools alike.

**A new field of a note** is added in two places here: to `NewNote` or `NoteInput`, as a writer may send it, and to
`NoteProperties`, as it is stored and returned. Requests, responses, history, undo, import and export are made of these.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, computed_field

from contracts.actor import Actor, PublicActor
from contracts.ids import Id
from contracts.moments import Moment
from contracts.operation import Empty, Operation
from contracts.properties import Properties, ValidProperties
from contracts.text import no_nul

TITLE_MAX_CHARACTERS = 200
BODY_MAX_BYTES = 256 * 1024
TAGS_MAX = 32
TAG_MAX_CHARACTERS = 50
QUERY_MAX_CHARACTERS = 400
PAGE_MAX = 200
TAGS_COUNTED_MAX = 5_000
"""The tags of a user in one answer: those of the most notes."""
CURSOR_MAX_CHARACTERS = 4_000
"""Of a list in the order of titles: a title's letters, at their longest, and more."""
PREVIEW_CHARACTERS = 200
TRASH_RETENTION_DAYS = 30


def _fits(body: str) -> str:
    if len(body.encode()) > BODY_MAX_BYTES:
        raise ValueError(f"must be at most {BODY_MAX_BYTES // 1024} KiB in UTF-8")
    return body


def _without_duplicates(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=TITLE_MAX_CHARACTERS),
    AfterValidator(no_nul),
]
Body = Annotated[str, AfterValidator(no_nul), AfterValidator(_fits)]
Tag = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=TAG_MAX_CHARACTERS),
    AfterValidator(no_nul),
]
Tags = Annotated[list[Tag], Field(max_length=TAGS_MAX), AfterValidator(_without_duplicates)]
Version = Annotated[int, Field(ge=1)]
SearchQuery = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=QUERY_MAX_CHARACTERS),
    AfterValidator(no_nul),
]
SearchCursor = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,4}$")]
"""Where a page of search results begins, as `next_cursor` says it."""
IdempotencyKey = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(no_nul)]
PageSize = Annotated[int, Field(ge=1, le=PAGE_MAX)]
Sort = Literal["updated", "created", "title"]
"""`updated` and `created`: newest first; `title`: from A to Z. Pinned notes come first in each."""


class NoteProperties(BaseModel):
    """What a writer may change of a note, except its text. As stored: not validated again when it is read."""

    title: str
    tags: list[str]
    pinned: bool
    archived: bool


class NoteContent(NoteProperties):
    """Everything that a writer may change of a note: what two versions of it differ in."""

    body: str
    properties: Properties = Properties()

    @classmethod
    def of(cls, source: "NoteContent | NoteInput") -> "NoteContent":
        """The content alone of a note, of a revision, or of a valid input."""
        return cls.model_construct(**{name: getattr(source, name) for name in cls.model_fields})


class NoteHead(NoteProperties):
    """The fields common to all forms of a note."""

    id: Id
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None
    updated_by: PublicActor


class NoteSummary(NoteHead):
    """A note in a list: `preview` is the first 200 characters of its text, without Markdown marks."""

    preview: str
    aliases: list[str] = []


class Note(NoteHead, NoteContent):
    """A note with its whole text, and its properties in their order. `aliases`: those among them that name the note."""

    @computed_field
    @property
    def aliases(self) -> list[str]:
        return self.properties.aliases


class NotePage(BaseModel):
    notes: list[NoteSummary]
    next_cursor: str | None = None


class SearchHit(BaseModel):
    """`snippet` is safe HTML: matches are in `<mark>`, everything else is escaped. A better match has a higher
    `rank`."""

    note: NoteSummary
    snippet: str
    rank: float


class SearchResults(BaseModel):
    """A page of what was found, best first. `total`: how many notes are found over all pages; None if the search took
    too long to know. `total_is_minimum`: more notes may match, which no page has: a bounded number is looked at."""

    results: list[SearchHit]
    next_cursor: str | None = None
    total: int | None = None
    total_is_minimum: bool = False


class CountedTag(BaseModel):
    """`count`: the notes that have this tag or one nested in it: `work/letters` counts for `work` too."""

    tag: str
    count: int


class TagCounts(BaseModel):
    """The tags of the listed notes, and those that they are nested in, from A to Z. `is_complete`: False if there are
    more than `TAGS_COUNTED_MAX`, of which these are the most used."""

    tags: list[CountedTag]
    is_complete: bool


class NotesOverview(BaseModel):
    """What the assistant knows of a user's notes when a run begins."""

    count: int
    newest: list[NoteSummary]


class NotesUsage(BaseModel):
    """What a user's notes take, in the trash or not, and what they may take: `bytes` of text, titles, tags, properties,
    and `history_bytes` of their earlier versions, of which the oldest make room for new ones."""

    notes: int
    notes_max: int
    bytes: int
    bytes_max: int
    history_bytes: int
    history_bytes_max: int


ChangeOp = Literal["create", "update", "delete", "restore"]


class NoteRequest(BaseModel):
    actor: Actor


class NoteWrite(NoteRequest):
    """A write. A repeated `idempotency_key` of the same user answers with the first result and changes nothing."""

    idempotency_key: IdempotencyKey | None = None


class NewNote(BaseModel):
    """The fields that a note can be created with."""

    title: Title
    body: Body = ""
    tags: Tags = []
    properties: ValidProperties = Properties()


class NoteInput(NewNote):
    """Every field that a writer may set, within its limits. The same fields as `NoteContent`."""

    pinned: bool = False
    archived: bool = False


class NotePatch(NoteInput):
    """Some of the fields: those that were set (`model_fields_set`). The defaults of the others are never used."""

    title: Title = ""


class CreateNote(NoteWrite, NoteInput):
    pass


class GetNote(NoteRequest):
    id: Id


class ListNotes(NoteRequest):
    """`title`: only notes with this title, whatever its case and accents, as in a link. `tag`: only notes with this
    tag, or one nested in it: `work` lists notes with `work/letters`."""

    limit: PageSize = 50
    cursor: str | None = Field(default=None, max_length=CURSOR_MAX_CHARACTERS)
    tag: Tag | None = None
    title: Title | None = None
    archived: bool = False
    trashed: bool = False
    sort: Sort = "updated"


class CountTags(NoteRequest):
    """Of the notes that `ListNotes` lists."""

    archived: bool = False
    trashed: bool = False


class SearchNotes(NoteRequest):
    q: SearchQuery
    limit: PageSize = 20
    cursor: SearchCursor | None = None


class GetOverview(NoteRequest):
    newest: Annotated[int, Field(ge=0, le=50)] = 10


class UpdateNote(NoteWrite, NotePatch):
    """Fields that are not set stay as they are. A stale `expected_version` is refused with `VersionConflict`."""

    id: Id
    expected_version: Version | None = None


class DeleteNote(NoteWrite):
    """Moves the note to the trash; deleting a note in the trash again changes nothing."""

    id: Id
    expected_version: Version | None = None


class RestoreNote(NoteWrite):
    """Takes the note out of the trash; restoring a note that is not in it changes nothing."""

    id: Id
    expected_version: Version | None = None


class PurgeNote(NoteWrite):
    """Deletes the note for good with its whole history, in the trash or not. The change in the feed is a `delete`."""

    id: Id
    expected_version: Version | None = None


class EmptyTrash(NoteRequest):
    """Deletes notes for good that were moved to the trash by `before`, the oldest first, at most so many that others
    can write in between. To be repeated while there are more."""

    before: Moment


class EmptiedTrash(BaseModel):
    deleted: int
    has_more: bool


class NoteChange(BaseModel):
    """One write, as every tab receives it: `cursor` counts the user's changes 1, 2, 3 … without a gap."""

    op: ChangeOp
    id: Id
    version: int
    cursor: int
    actor: PublicActor


class ChangedNote(NoteChange):
    """A change in the feed. `note`: its current summary; None if it is in the trash or purged."""

    note: NoteSummary | None = None


class ListChanges(NoteRequest):
    """The changes after `since`. None: no changes, only the newest cursor."""

    since: Annotated[int, Field(ge=0)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 200


class ChangeFeed(BaseModel):
    """`cursor`: of the last of `changes`, or the user's newest if there are none. `expired`: some of the changes after
    `since` are deleted; load everything again."""

    changes: list[ChangedNote]
    cursor: int
    expired: bool = False


QUEUE_GROUP = "notes-service"

CREATE = Operation("notes.create", CreateNote, Note)
GET = Operation("notes.get", GetNote, Note)
LIST = Operation("notes.list", ListNotes, NotePage)
SEARCH = Operation("notes.search", SearchNotes, SearchResults)
UPDATE = Operation("notes.update", UpdateNote, Note)
DELETE = Operation("notes.delete", DeleteNote, Note)
RESTORE = Operation("notes.restore", RestoreNote, Note)
PURGE = Operation("notes.purge", PurgeNote, Empty)
TAGS = Operation("notes.tags", CountTags, TagCounts)
EMPTY_TRASH = Operation("notes.empty_trash", EmptyTrash, EmptiedTrash)
OVERVIEW = Operation("notes.overview", GetOverview, NotesOverview)
USAGE = Operation("notes.usage", NoteRequest, NotesUsage)
CHANGES = Operation("notes.changes", ListChanges, ChangeFeed)
