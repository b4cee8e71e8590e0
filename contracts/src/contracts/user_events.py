"""The WebSocket messages for a user's tabs; the services publish the same JSON to the user's subjects."""

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
    """A conversation was created, deleted or changed: renamed, continued, or the changes of one of its answers were
    undone. On `user.<id>.signal`."""

    type: Literal["conversation_changed"] = "conversation_changed"
    op: Literal["create", "update", "delete"]
    id: Id


class SettingsChanged(BaseModel):
    """The user's settings have changed. On `user.<id>.signal`."""

    type: Literal["settings_changed"] = "settings_changed"


class ImportProgress(BaseModel):
    """Progress of an import. On `user.<id>.signal`."""

    type: Literal["import_progress"] = "import_progress"
    import_id: Id
    processed: int
    total: int
