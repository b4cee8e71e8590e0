"""The requests that the demo model understands, one class each, and how a request refers to a note."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Named:
    """The note with this title. `about`: the words may stand anywhere in it."""

    words: str
    about: bool = False


@dataclass(frozen=True)
class Linked:
    """The note that a link in the request leads to."""

    id: str
    title: str


@dataclass(frozen=True)
class Nth:
    """The note at this place of the last list shown, from 1; -1 is the last."""

    place: int


@dataclass(frozen=True)
class Pronoun:
    """`it`: the note used last. `this`: the one open before the user."""

    word: Literal["it", "this"] = "it"


Target = Named | Linked | Nth | Pronoun


@dataclass(frozen=True)
class Create:
    """`title` None: the user gave none."""

    title: str | None
    body: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class CreateMany:
    titles: tuple[str, ...]


@dataclass(frozen=True)
class List:
    tag: str | None = None


@dataclass(frozen=True)
class Search:
    query: str


@dataclass(frozen=True)
class Read:
    target: Target


@dataclass(frozen=True)
class Append:
    """Adds `items` at the end, a line each."""

    target: Target
    items: tuple[str, ...]


@dataclass(frozen=True)
class Replace:
    target: Target
    old: str
    new: str


@dataclass(frozen=True)
class Remove:
    target: Target
    text: str


@dataclass(frozen=True)
class Rename:
    target: Target
    title: str


@dataclass(frozen=True)
class SetBody:
    target: Target
    body: str


@dataclass(frozen=True)
class Delete:
    target: Target


@dataclass(frozen=True)
class DeleteMany:
    """All in one turn, so that one approval covers them."""

    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Mark:
    """Pins, unpins, archives or unarchives."""

    target: Target
    field: Literal["pinned", "archived"]
    value: bool


@dataclass(frozen=True)
class Tag:
    """Adds or removes tags."""

    target: Target
    tags: tuple[str, ...]
    add: bool = True


@dataclass(frozen=True)
class Choose:
    """The reply to "which one?"."""

    target: Target


@dataclass(frozen=True)
class Story:
    """`words`: the least length, in words."""

    topic: str = ""
    words: int = 400


@dataclass(frozen=True)
class Talk:
    """Small talk with a fixed reply."""

    kind: Literal["greeting", "help", "thanks", "one_at_a_time"]


@dataclass(frozen=True)
class Unknown:
    """Anything else."""


OnNote = Read | Append | Replace | Remove | Rename | SetBody | Delete | Mark | Tag
Intent = Create | CreateMany | List | Search | OnNote | DeleteMany | Choose | Story | Talk | Unknown
