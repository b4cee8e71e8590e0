"""What a person can do in a conversation: say something, undo an answer, say it otherwise, ask for another answer."""

from dataclasses import dataclass
from typing import Literal

Reply = Literal["allow", "deny", "stop"]
"""What they do when the assistant asks whether it may: also stop it altogether."""


@dataclass(frozen=True)
class Say:
    message: str
    reply: Reply = "allow"


@dataclass(frozen=True)
class Undo:
    """Takes back what the last answer changed in the notes; asked for twice at once, as by two tabs."""


@dataclass(frozen=True)
class Rephrase:
    """Edits the last message."""

    message: str


@dataclass(frozen=True)
class Regenerate:
    """Another answer to the last message."""


Deed = Say | Undo | Rephrase | Regenerate
