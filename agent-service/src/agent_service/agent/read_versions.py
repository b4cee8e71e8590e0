"""Which version of each note the model has read, so that it never overwrites text that it does not know."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

UNREAD_TEXT = "unseen_text"
"""A field of a tool's result: the note contains text of somebody else that the model has not read. Rewriting the body
would lose it."""


@dataclass
class ReadVersions:
    """`heads`: by note, the newest version of which the model has seen anything, if only a title in a list. `bodies`:
    the newest version whose whole text it has read.

    A result counts as read when the model responds the next time: calls of one response were written before it could
    read the results of any of them.
    """

    heads: dict[str, int] = field(default_factory=dict[str, int])
    bodies: dict[str, int] = field(default_factory=dict[str, int])
    _unread_results: list[Any] = field(default_factory=list[Any])
    _in_prompt: Mapping[str, int] = field(default_factory=dict[str, int])

    def replay(self, items: Iterable[dict[str, Any]]) -> None:
        """Forgets everything but the prompt and reads this conversation instead, in the SDK's form: what the model is
        not sent any more it does not know, nor what it is sent in part."""
        self.heads, self.bodies = {}, {}
        self._unread_results.clear()
        for item in items:
            if item.get("type") == "function_call" or item.get("role") == "assistant":
                self.model_responded()
            elif item.get("type") == "function_call_output" and isinstance(item.get("output"), str):
                with suppress(ValueError):
                    self.record_result(orjson.loads(item["output"]))
        self.add_prompt_versions(self._in_prompt)

    def record_result(self, result: Any) -> None:
        """A tool's result was sent to the model. What the model itself wrote, it knows at once."""
        match result:
            case {"id": str(note_id), "version": int(version)} if "body" not in result:
                if UNREAD_TEXT not in result:
                    self._record_write(note_id, version, is_new="created" in result)
            case _:
                self._unread_results.append(result)

    def model_responded(self) -> None:
        """The model has read every result recorded so far."""
        for result in self._unread_results:
            match result:
                case {"error": {"current": {"id": str(note_id), "version": int(version)}}}:
                    self._record_body(note_id, version)
                case {"id": str(note_id), "version": int(version)}:
                    self._record_body(note_id, version)
                case {"notes": [*notes]}:
                    for note in notes:
                        self._record_head(note["id"], note["version"])
                case _:
                    pass
        self._unread_results.clear()

    def add_prompt_versions(self, versions: Mapping[str, int]) -> None:
        """The heads of notes that the prompt names. Those from the conversation take precedence: they include what the
        model wrote."""
        self._in_prompt = versions
        self.heads = {**versions, **self.heads}

    def _record_head(self, note_id: str, version: int) -> None:
        self.heads[note_id] = max(version, self.heads.get(note_id, 0))

    def _record_body(self, note_id: str, version: int) -> None:
        self._record_head(note_id, version)
        self.bodies[note_id] = max(version, self.bodies.get(note_id, 0))

    def _record_write(self, note_id: str, version: int, *, is_new: bool) -> None:
        """A write on top of a body that the model knew gives a body that it knows. A write without effect leaves the
        version as it was."""
        self._record_head(note_id, version)
        if is_new or self.bodies.get(note_id) in (version, version - 1):
            self.bodies[note_id] = version
