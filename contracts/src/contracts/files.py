"""Requests about files: pictures and documents that notes and messages refer to as `/api/files/<id>`.

Only metadata travels over the broker. The bytes are objects in the object store, written and read by whoever serves
them; an object is named by its user and an id that is used once (`object_key`) and never changes.
"""

import re
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from contracts.actor import Actor
from contracts.ids import Id
from contracts.operation import Empty, Operation
from contracts.text import no_nul

FILE_PATH = "/api/files/"
FILE_NAME_MAX_CHARACTERS = 255
UPLOAD_EXPIRES_HOURS = 24
UPLOADS_MAX = 32
"""Unfinished uploads of one user."""
PART_BYTES = 4 * 1024 * 1024
"""Of an upload, as it is stored until it is complete. The last part is smaller, and one that a lost connection cut."""
PREVIEW_SIZES = (256, 512, 1024, 2048)
"""Pixels of the longer side of a picture's smaller copies. A request for another size gets the next larger one."""


def _file_name(name: str) -> str:
    """The last part of a path, on one line. From its end, because the extension says what the file is."""
    shown = re.sub(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]", "", re.split(r"[/\\]", name)[-1])
    return shown.strip().encode(errors="replace").decode()[-FILE_NAME_MAX_CHARACTERS:] or "file"


FileName = Annotated[str, StringConstraints(max_length=4096), AfterValidator(_file_name), AfterValidator(no_nul)]


class File(BaseModel):
    """`media_type`: found in the bytes, whatever the upload said. `width`, `height`: pixels of a picture that browsers
    show, turned as it is to be seen; None for every other file."""

    id: Id
    name: str
    media_type: str
    bytes: int
    width: int | None = None
    height: int | None = None


class StoredFile(File):
    """With the object that has the bytes. `sha256` is in hexadecimal."""

    object_id: Id
    sha256: str


class StoredObject(BaseModel):
    """A picture's smaller copy."""

    object_id: Id
    media_type: str
    bytes: int


class Upload(BaseModel):
    """`offset`: bytes received so far, of `length`. `file`: once all of them are there and were looked at."""

    id: Id
    length: int
    offset: int
    expires_at: datetime
    file: File | None = None


class FileRequest(BaseModel):
    actor: Actor


class FileRef(FileRequest):
    id: Id


class GetPreview(FileRef):
    size: Annotated[int, Field(ge=1)]


class BeginUpload(FileRequest):
    """Reserves room for `length` bytes, before any of them is read. Raises `PayloadTooLarge`, `QuotaExceeded`, and
    `RateLimited` while the user has `UPLOADS_MAX` unfinished ones."""

    name: FileName
    length: Annotated[int, Field(ge=1)]


class UploadRef(FileRequest):
    id: Id


class AddPart(UploadRef):
    """The object `object_id` has the next `bytes` of the upload. Raises `UploadConflict` if `offset` is not where the
    upload is: another connection was faster."""

    offset: Annotated[int, Field(ge=0)]
    object_id: Id
    bytes: Annotated[int, Field(ge=1, le=PART_BYTES)]


class FinishUpload(UploadRef):
    """Makes the received bytes a file. A repeat returns the same file, and bytes that the user has already are
    that file. `is_whole`: what was received is all, though more was reserved for it."""

    is_whole: bool = False


class FilesUsage(BaseModel):
    """What a user's files take and may take, with the room that is reserved for uploads."""

    files: int
    files_max: int
    file_bytes: int
    file_bytes_max: int


def object_key(user_id: str, object_id: str) -> str:
    return f"{user_id}/{object_id}"


UPLOAD_BEGIN = Operation("notes.files.upload.begin", BeginUpload, Upload)
UPLOAD_GET = Operation("notes.files.upload.get", UploadRef, Upload)
UPLOAD_PART = Operation("notes.files.upload.part", AddPart, Upload)
UPLOAD_FINISH = Operation("notes.files.upload.finish", FinishUpload, File, timeout=120.0)
UPLOAD_ABORT = Operation("notes.files.upload.abort", UploadRef, Empty)
GET = Operation("notes.files.get", FileRef, StoredFile)
PREVIEW = Operation("notes.files.preview", GetPreview, StoredObject, timeout=120.0)
DELETE = Operation("notes.files.delete", FileRef, Empty)
USAGE = Operation("notes.files.usage", FileRequest, FilesUsage)
