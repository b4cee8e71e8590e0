"""Requests about imports and exports: Markdown files, one by one or as a zip."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from contracts.ids import Id
from contracts.notes import NoteRequest
from contracts.operation import Empty, Operation
from contracts.text import no_nul

FILES_MAX = 1000
FILE_NAME_MAX_CHARACTERS = 255
CHUNK_MAX_BYTES = 512 * 1024
ERRORS_MAX = 1000
"""Errors of an import that are returned, and as many warnings: the first ones."""

FileName = Annotated[str, StringConstraints(max_length=FILE_NAME_MAX_CHARACTERS), AfterValidator(no_nul)]
ImportState = Literal["uploading", "queued", "running", "completed", "failed"]
"""The last two are final. `failed`: aborted, for a reason that is among the errors."""


class BeginImport(NoteRequest):
    """Files that will be sent in chunks. Raises `RateLimited` while the user has several unfinished imports."""

    files: Annotated[list[FileName], Field(min_length=1, max_length=FILES_MAX)]


class ImportStarted(BaseModel):
    import_id: Id


class ImportRef(NoteRequest):
    import_id: Id


class SendChunk(ImportRef):
    """A chunk of a file. `file` and `number` count from 0. The same chunk again changes nothing."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    file: Annotated[int, Field(ge=0, lt=FILES_MAX)]
    number: Annotated[int, Field(ge=0, lt=2**31)]
    data: Annotated[bytes, Field(max_length=CHUNK_MAX_BYTES)]


class ImportProblem(BaseModel):
    """A file that was not imported, or not all of it. `reason`: sentences for the user."""

    name: str
    reason: str


class ImportStatus(BaseModel):
    """`total` counts the files found so far, those in archives included. `errors`: text files and archives come before
    other files, which are not notes. `warnings`: imported files of which a part was left out."""

    status: ImportState
    processed: int
    total: int
    created: int
    updated: int
    unchanged: int
    errors: list[ImportProblem]
    warnings: list[ImportProblem]


class ExportNotes(NoteRequest):
    """All notes outside the trash, as a zip."""


class ExportOpened(BaseModel):
    """The zip is read from `subjects.note_export(export_id)`, with `rpc.read_chunks`."""

    export_id: Id


IMPORT_BEGIN = Operation("notes.import.begin", BeginImport, ImportStarted)
IMPORT_CHUNK = Operation("notes.import.chunk", SendChunk, Empty)
IMPORT_START = Operation("notes.import.start", ImportRef, Empty)
IMPORT_GET = Operation("notes.import.get", ImportRef, ImportStatus)
EXPORT = Operation("notes.export", ExportNotes, ExportOpened)
