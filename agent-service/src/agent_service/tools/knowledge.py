"""Which version of a note the model knows, and what it is told where that is not the newest."""

from typing import Any

from contracts.notes import Note

from agent_service.agent.context import RunContext

TEXT_MAX_CHARACTERS = 32_000
"""A longer text is not told with a conflict: the model has to read the note."""
UNSEEN = "unseen_text"
"""Of a result: the note's text has parts that the model has not read. A rewrite would lose them."""

CHANGED = "Someone else changed this note in the meantime, so nothing was done."
AGAIN = "`current` is the note as it is now: make your change to that, keep what the other one wrote, and call again."
READ_AGAIN = "Read it again, make your change to what it says now, and call again."


def conflict(note: Note) -> dict[str, Any]:
    if len(note.body) > TEXT_MAX_CHARACTERS:
        return {"message": CHANGED, "hint": READ_AGAIN}
    shown = note.model_dump(mode="json", include={"id", "title", "body", "tags", "pinned", "archived", "version"})
    return {"message": CHANGED, "hint": AGAIN, "current": shown}


def learn_versions(context: RunContext, result: Any) -> None:
    """From a tool's result. Of a note in a list the model knows a piece only, which is better than nothing."""
    match result:
        case {"error": {"current": {"id": str(note_id), "version": int(version)}}}:
            context.versions[note_id] = version
        case {"id": str(note_id), "version": int(version)} if UNSEEN not in result:
            context.versions[note_id] = version
        case {"notes": [*_]}:
            for note in result["notes"]:
                context.versions.setdefault(note["id"], note["version"])
        case _:
            pass
