"""What a user's tabs hear over the WebSocket; the services publish the same JSON to the user's subjects."""

from typing import Literal

from pydantic import BaseModel

from contracts.chat import RunStatus
from contracts.ids import Id
from contracts.notes import NoteChange


class NoteChanged(NoteChange):
    """A note changed, whoever changed it. On `user.<id>.notes`, in cursor order."""

    type: Literal["note_changed"] = "note_changed"


class RunChanged(BaseModel):
    """A run started, waits for a decision, or ended. On `user.<id>.signal`."""

    type: Literal["run_changed"] = "run_changed"
    run_id: Id
    conversation_id: Id
    status: RunStatus


class ConversationChanged(BaseModel):
    """A conversation was made or deleted, or is another than before: renamed, gone on with, or what an answer in it did
    was taken back. On `user.<id>.signal`."""

    type: Literal["conversation_changed"] = "conversation_changed"
    op: Literal["create", "update", "delete"]
    id: Id


class SettingsChanged(BaseModel):
    """The user's settings changed, in another tab perhaps. On `user.<id>.signal`."""

    type: Literal["settings_changed"] = "settings_changed"


class ImportProgress(BaseModel):
    """How far an import is. On `user.<id>.signal`."""

    type: Literal["import_progress"] = "import_progress"
    import_id: Id
    processed: int
    total: int
