"""The names by which links may call a note, and which of several notes a link leads to.

A note's own name is that of the file it was imported from, else its title. Links may name its folders too, as many as
they like: `[[Note]]`, `[[Folder/Note]]`, `[[Vault/Folder/Note]]`. So the names of a note are all ends of its path, and
to find a link's note is to find equal keys.

**Of several notes with a name, a link leads to the nearest**: first to the one that the path names from the folder of
the linking note, then to a note whose own name it is, to one of that title, to one of that alias; of these, first to
the same spelling, then to the one that is the fewest folders away. Ties go to the first path and the oldest note: the
order is total, so that the same link leads to the same note wherever it is resolved.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import PurePosixPath
from urllib.parse import unquote

from notes_service.folding import composed, link_key
from notes_service.links import ENDING, KEY_MAX_BYTES, LinkTarget
from notes_service.transfer.file_names import safe_stem

PATH_MAX_CHARACTERS = 1_000
FOLDERS_MAX = 12
"""Folders in a name, but for the whole path."""
POST = re.compile(r"(?P<date>\d{4}-\d\d-\d\d)-(?P<slug>.+)")
JOURNAL = re.compile(r"(\d{4})[_-](\d\d)[_-](\d\d)")
ZETTELKASTEN_ID = re.compile(r"(?<!\d)(\d{14}|\d{12})(?!\d)")
INDEXES = ("index", "_index")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
OWN_NAME, TITLE, ALIAS = range(3)


@dataclass(frozen=True, slots=True)
class NamedNote:
    """A note that some link may call by a name. `path`: of its file, without the ending; None if it has none.
    `aliases`: its other names."""

    id: str
    title: str
    path: str | None = None
    aliases: tuple[str, ...] = ()

    @property
    def own_name(self) -> str:
        return self.title if self.path is None else self.path.rpartition("/")[2]

    def stored_keys(self) -> dict[str, bool]:
        """The keys of its names but the title, and whether each is an alias only."""
        names = dict.fromkeys(path_names(self.path), False) if self.path else {}
        keys = {link_key(name): is_alias for name, is_alias in (dict.fromkeys(self.aliases, True) | names).items()}
        return {key: is_alias for key, is_alias in keys.items() if _is_storable(key)}

    def keys(self) -> set[str]:
        return {link_key(self.title), *self.stored_keys()}

    def renamed(self, title: str) -> "NamedNote":
        """With another title. Where its file was called after the title, that follows."""
        path = self.path
        if path and link_key(self.own_name) in (link_key(self.title), link_key(safe_stem(self.title))):
            path = path.removesuffix(self.own_name) + safe_stem(title)
        return NamedNote(self.id, title, path, self.aliases)


@dataclass(frozen=True, slots=True)
class LinkedName:
    """Where a link leads, and the name in it which says so."""

    note: NamedNote
    name: str


NotesByKey = dict[str, list[tuple[NamedNote, bool]]]
"""By each key: the notes with that name, and whether it is an alias only."""


def link_path(file_name: str) -> str | None:
    """The path of a file in an archive, without its ending; None if nothing is left. One that is too long loses its
    first folders."""
    path = ENDING.sub("", str(PurePosixPath(file_name))).encode(errors="replace").decode()
    if len(path) > PATH_MAX_CHARACTERS:
        path = path[-PATH_MAX_CHARACTERS:].partition("/")[2]
    return path or None


def path_names(path: str) -> Iterator[str]:
    """The names of a file: with the folders it is in, and what other programs call it in links."""
    *folders, stem = path.split("/")
    yield from _ends([*folders, stem])
    if stem.casefold() in INDEXES and folders:  # Quartz, Hugo: the page of its folder
        yield from _ends(folders)
    yield from ZETTELKASTEN_ID.findall(stem)
    yield from _logseq_names(folders, stem)
    if "_posts" in folders and (post := POST.fullmatch(stem)):  # Jekyll: `/2020/01/31/slug`
        yield post["slug"]
        yield f"{post['date'].replace('-', '/')}/{post['slug']}"


def _ends(segments: list[str]) -> Iterator[str]:
    for folders in range(min(len(segments), FOLDERS_MAX + 1)):
        yield "/".join(segments[-folders - 1 :])
    yield "/".join(segments)


def _is_storable(key: str) -> bool:
    return bool(key) and "\0" not in key and len(key.encode()) <= KEY_MAX_BYTES


def _logseq_names(folders: list[str], stem: str) -> Iterator[str]:
    """Namespaces (`a/b` in `a___b.md` or `a%2Fb.md`), and the dates of journals as the program writes them."""
    if "___" in stem:
        yield unquote(stem.replace("___", "/"))
    elif "%" in stem:
        yield unquote(stem)
    elif "journals" in folders and (match := JOURNAL.fullmatch(stem)):
        try:
            day = date(*map(int, match.groups()))
        except ValueError:
            return
        yield day.isoformat()
        yield f"{MONTHS[day.month - 1]} {_ordinal(day.day)}, {day.year}"


def _ordinal(number: int) -> str:
    ending = "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def wanted_names(target: LinkTarget, source: str | None) -> list[str]:
    """The names to look up in order to resolve a link in a note whose path is `source`."""
    names = list(target.names)
    return names + [here for name in names if (here := _from_folder(name, target.parents, source))]


def resolved(target: LinkTarget, source: str | None, notes: NotesByKey) -> LinkedName | None:
    """The note that a link leads to, given all notes that have one of its `wanted_names`."""
    for name in target.names:
        key = link_key(name)
        if (here := _from_folder(name, target.parents, source)) is not None:
            place = link_key(here)
            beside = [note for note, _ in notes.get(place, ()) if note.path and link_key(note.path) == place]
            if beside:
                return LinkedName(min(beside, key=lambda note: (composed(note.path or "") != here, note.id)), name)
        if candidates := notes.get(key):
            return LinkedName(min(candidates, key=lambda one: _distance(*one, name, key, source))[0], name)
    return None


def _from_folder(name: str, parents: int | None, source: str | None) -> str | None:
    """The path of a name relative to the folder of the linking note; None if there is none."""
    folders = source.split("/")[:-1] if source else []
    if parents is None or not folders or parents > len(folders):
        return None
    return "/".join([*folders[: len(folders) - parents], name])


def _distance(note: NamedNote, is_alias: bool, name: str, key: str, source: str | None) -> tuple[object, ...]:
    if is_alias:
        kind = ALIAS
    elif note.path is None or key in note.stored_keys():
        kind = OWN_NAME
    else:
        kind = TITLE
    spelt = composed(name)
    is_spelt = spelt == composed(note.title) or f"/{composed(note.path or '')}".endswith(f"/{spelt}")
    here, there = (path.split("/")[:-1] if path else [] for path in (source, note.path))
    common = 0
    for one, other in zip(here, there, strict=False):
        if one != other:
            break
        common += 1
    return kind, not is_spelt, len(here) + len(there) - 2 * common, note.path or "", note.id
