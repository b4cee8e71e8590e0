"""A user's actions in a conversation: send a message, undo an answer, edit the message, regenerate the answer."""

from dataclasses import dataclass
from typing import Literal

Reply = Literal["allow", "deny", "stop"]
"""The user's reaction to a tool call that requires approval; `stop` cancels the run."""


@dataclass(frozen=True)
class Say:
    message: str
    reply: Reply = "allow"


@dataclass(frozen=True)
class Undo:
    """Undoes the last answer's changes to notes; requested twice concurrently, as by two tabs."""


@dataclass(frozen=True)
class Rephrase:
    """Edits the last message."""

    message: str


@dataclass(frozen=True)
class Regenerate:
    """Another answer to the last message."""


Deed = Say | Undo | Rephrase | Regenerate
