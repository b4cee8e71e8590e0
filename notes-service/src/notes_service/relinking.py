"""Rewrites the links to a note that was renamed.

**Invariant: only links that led to the note are rewritten, and lead to it again.** Each link is resolved twice: among
the names as they were before, which are those in the database and the note's former ones, and among the names as they
are. Where the first leads to the note and the second does not, the former title in the link is replaced by the new one;
folders, headings, labels and the way it is written stay.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from contracts.errors import QuotaExceeded
from contracts.note_links import LINKS_MAX, RELINKED_MAX
from contracts.notes import BODY_MAX_BYTES, NoteContent
from notes_service.folding import link_key
from notes_service.link_names import NamedNote, NotesByKey, path_names, resolved, wanted_names
from notes_service.links import ENDING, WIKI_LINK, Link, all_links, link_target
from notes_service.repository import NoteTransaction
from notes_service.repository.links import LinkingNote, linking_notes, named_note, notes_by_name

RELATIVE = re.compile(r"(\.{0,2}/)*")
URL_SAFE = "-._!$&'*+,;=:@~"
"""ASCII punctuation that a name in a destination may have as it is."""
ENDS_BRACKETS = '<>\\%#?"/'
"""ASCII punctuation that a name in a destination in angle brackets must not have."""


@dataclass(frozen=True, slots=True)
class Relinked:
    """`next_cursor`: below which id there may be more notes to rewrite; None if there are none."""

    updated: int
    next_cursor: str | None


async def relink(
    tx: NoteTransaction, former: NamedNote, *, below: str | None = None, only_broken: bool = False
) -> Relinked:
    """Rewrites the links in the next `RELINKED_MAX` notes that may link to a note which was renamed in this or an
    earlier transaction. A note that would become too long stays as it is.

    `only_broken`: leaves links alone that lead to another note by now.
    """
    user_id = tx.actor.user_id
    note = await named_note(tx.db, user_id, former.id)
    lost = former.keys() - note.keys()
    if not lost:
        return Relinked(0, None)
    linking = await linking_notes(tx.db, user_id, lost, below, RELINKED_MAX)
    found = await asyncio.to_thread(links_with, lost, linking)
    names = {name for one, links in found for link in links for name in wanted_names(link.target, one.path)}
    now = await notes_by_name(tx.db, user_id, [*names, *_new_names(note)])
    renaming = _Renaming(former, note, _with_former(now, former, lost), now, only_broken=only_broken)
    texts = await asyncio.to_thread(lambda: [(one.id, renaming.rewritten(one, links)) for one, links in found])
    updated = 0
    for note_id, text in texts:
        if text is not None and await _updated(tx, note_id, text):
            updated += 1
    return Relinked(updated, linking[-1].id if len(linking) == RELINKED_MAX else None)


async def broken_links(
    db: Any, user_id: str, former: NamedNote, note: NamedNote, linking: list[LinkingNote]
) -> list[LinkingNote]:
    """Those of `linking` with a link that led to the note by a former name and leads nowhere now."""
    lost = former.keys() - note.keys()
    found = await asyncio.to_thread(links_with, lost, linking)
    names = {name for one, links in found for link in links for name in wanted_names(link.target, one.path)}
    now = await notes_by_name(db, user_id, names)
    renaming = _Renaming(former, note, _with_former(now, former, lost), now, only_broken=True)
    return [one for one, links in found if any(renaming.concerns(link, one.path) for link in links)]


def links_with(keys: set[str], linking: Iterable[LinkingNote]) -> list[tuple[LinkingNote, list[Link]]]:
    """Of each note the links that may mean one of these names: bounded, as the index of links is."""
    return [
        (one, [link for link in all_links(one.body) if not keys.isdisjoint(link.target.keys)][:LINKS_MAX])
        for one in linking
    ]


def _new_names(note: NamedNote) -> list[str]:
    return [note.title, *(path_names(note.path) if note.path else ())]


def _with_former(now: NotesByKey, former: NamedNote, lost: set[str]) -> NotesByKey:
    return {**now, **{key: [*now.get(key, ()), (former, False)] for key in lost}}


async def _updated(tx: NoteTransaction, note_id: str, body: str) -> bool:
    if len(body.encode()) > BODY_MAX_BYTES:
        return False
    note = await tx.note(note_id)
    try:
        await tx.update(note, NoteContent.of(note).model_copy(update={"body": body}))
    except QuotaExceeded:
        return False
    return True


@dataclass(frozen=True)
class _Renaming:
    former: NamedNote
    note: NamedNote
    before: NotesByKey
    now: NotesByKey
    only_broken: bool

    def concerns(self, link: Link, source: str | None) -> bool:
        before = resolved(link.target, source, self.before)
        if before is None or before.note.id != self.note.id:
            return False
        now = resolved(link.target, source, self.now)
        return now is None if self.only_broken else now is None or now.note.id != self.note.id

    def rewritten(self, linking: LinkingNote, links: list[Link]) -> str | None:
        """The text with its links rewritten; None if there is none to rewrite."""
        data, chunks, done = linking.body.encode(), list[bytes](), 0
        for link in sorted(set(links), key=lambda link: link.start):
            if link.end <= max(link.start, done) or not self.concerns(link, linking.path):
                continue
            before = resolved(link.target, linking.path, self.before)
            assert before is not None
            if link.is_wiki and before.name not in data[link.start : link.end].decode():
                continue  # the name is behind the label
            start, end, text = self._replaced(data, link, before.name, linking.path)
            chunks += [data[done:start], text.encode()]
            done = end
        return (b"".join(chunks) + data[done:]).decode() if chunks else None

    def _replaced(self, data: bytes, link: Link, name: str, source: str | None) -> tuple[int, int, str]:
        """The place in the text, and what is to be there. The first form that leads to the note."""
        written = data[link.start : link.end].decode()
        if link.is_wiki:
            new = self._wiki(written, name, source)
            if new is not None:
                return link.start, link.end, new
            start, end = data.rindex(b"[[", 0, link.start + 1), data.index(b"]]", link.end) + 2
            label = _label(data[start:end].decode()) or re.sub(r"([\\\[\]])", r"\\\1", self.note.title)
            return start, end, f"[{label}]({_encoded(self.note.own_name)}.md{_fragment(written, name)})"
        is_bracketed = data[link.start - 1 : link.start] == b"<"
        path, mark, part = written.partition("#")
        folder, slash, file = path.rpartition("/")
        ending = match[0] if (match := ENDING.search(file)) else ""
        encoded = _encoded(self.note.own_name, in_brackets=is_bracketed)
        return link.start, link.end, f"{folder}{slash}{encoded}{ending}{mark}{part}"

    def _wiki(self, written: str, name: str, source: str | None) -> str | None:
        """The new name for a wiki link; None if it cannot be written in one."""
        lead = RELATIVE.match(written)
        at = written.find(name, lead.end() if lead else 0)
        begin, rest = (written[:at], written[at + len(name) :]) if at >= 0 else ("", "")
        folder, slash, _ = name.rpartition("/")
        is_title = link_key(name) == link_key(self.former.title)
        forms = [begin + (self.note.title if is_title else folder + slash + self.note.own_name) + rest]
        if self.note.path is not None:
            forms += [self.note.own_name + rest, self.note.path + rest]
        forms = [form for form in forms if WIKI_LINK.fullmatch(f"[[{form}]]")]
        return next((form for form in forms if self._leads_there(form, source)), forms[0] if forms else None)

    def _leads_there(self, form: str, source: str | None) -> bool:
        target = link_target(f"[[{form}]]")
        found = target and resolved(target, source, self.now)
        return found is not None and found.note.id == self.note.id


def _label(link: str) -> str:
    match = WIKI_LINK.fullmatch(link)
    return (match["label"] or "").strip() if match else ""


def _fragment(written: str, name: str) -> str:
    _, mark, part = written[written.find(name) + len(name) :].partition("#")
    return f"#{quote(part)}" if mark else ""


def _encoded(name: str, *, in_brackets: bool = False) -> str:
    """A name as the last part of a destination: only what would end it or mean something else is encoded."""
    return "".join(quote(letter, safe="") if _is_special(letter, in_brackets) else letter for letter in name)


def _is_special(letter: str, in_brackets: bool) -> bool:
    if in_brackets:
        return letter in ENDS_BRACKETS or letter < " "
    return letter.isascii() and not letter.isalnum() and letter not in URL_SAFE
