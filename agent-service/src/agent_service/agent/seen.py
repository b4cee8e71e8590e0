"""Which version of each note the model has seen: so that it writes over nothing that it does not know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

UNSEEN = "unseen_text"
"""Of a result: the note has parts that the model has not read, by somebody else. A rewrite would lose them."""


@dataclass
class Seen:
    """`heads`: the newest version that the model knows something of, from a list at least. `texts`: the newest one that
    it knows whole. What its tools told it, it has read when it answers the next time, not while it still makes calls.
    """

    heads: dict[str, int] = field(default_factory=dict[str, int])
    texts: dict[str, int] = field(default_factory=dict[str, int])
    _told: list[Any] = field(default_factory=list[Any])

    def learn(self, result: Any) -> None:
        """From a tool's result. What the model did itself, it knows at once."""
        match result:
            case {"id": str(note_id), "version": int(version)} if "body" not in result:
                if UNSEEN not in result:
                    self._write(note_id, version, is_new="created" in result)
            case _:
                self._told.append(result)

    def answered(self) -> None:
        """The model has answered: it has read what it was told before."""
        for result in self._told:
            match result:
                case {"error": {"current": {"id": str(note_id), "version": int(version)}}}:
                    self._read(note_id, version)
                case {"id": str(note_id), "version": int(version)}:
                    self._read(note_id, version)
                case {"notes": [*notes]}:
                    for note in notes:
                        self._glance(note["id"], note["version"])
                case _:
                    pass
        self._told.clear()

    def named(self, versions: Mapping[str, int]) -> None:
        """By the prompt. What the conversation says of a note counts more: it tells what the model made of it."""
        self.heads = {**versions, **self.heads}

    def _glance(self, note_id: str, version: int) -> None:
        self.heads[note_id] = max(version, self.heads.get(note_id, 0))

    def _read(self, note_id: str, version: int) -> None:
        self._glance(note_id, version)
        self.texts[note_id] = max(version, self.texts.get(note_id, 0))

    def _write(self, note_id: str, version: int, *, is_new: bool) -> None:
        """On top of the version that the model knew; with nothing new in it the version stays."""
        self._glance(note_id, version)
        if is_new or self.texts.get(note_id) in (version, version - 1):
            self.texts[note_id] = version
