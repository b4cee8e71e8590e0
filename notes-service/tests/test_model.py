"""Any sequence of writes by a user, the assistant and a program has the result that a simple model predicts."""

import asyncio
import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from contracts import note_history, note_links, notes
from contracts.errors import NotFound, VersionConflict
from contracts.ids import new_id

WRITERS = st.sampled_from(["user", "agent", "agent", "other agent", "api"])
TEXTS = st.sampled_from(
    ["", "milk", "eggs", "bread and butter", "é" * 300, "see [[ideas]]", "[[Über|that]] and [[Shopping]]"]
)
LINK = re.compile(r"(?<=\[\[)([^]|]+)")
TITLES = st.sampled_from(["Shopping", "Ideas", "Über"])
RARELY = st.sampled_from([False] * 4 + [True])
TAGS = st.lists(st.sampled_from(["home", "work"]), unique=True, max_size=2)


@dataclass(frozen=True)
class State:
    """A note at one version."""

    title: str
    body: str
    tags: tuple[str, ...]
    pinned: bool = False
    trashed: bool = False
    by: str = "user"


@dataclass
class Modelled:
    """`states[n]` is version n + 1."""

    states: list[State] = field(default_factory=list[State])

    @property
    def now(self) -> State:
        return self.states[-1]


EMPTY = State("", "", ())


def changed(old: State, new: State) -> set[str]:
    return {name for name in vars(old) if name != "by" and getattr(old, name) != getattr(new, name)}


def content(state: State) -> State:
    return replace(state, by="")


def taken_back(states: list[State], of_run: list[int], by: str) -> State | None:
    """The newest state without what the run changed; None if somebody else has changed the same."""
    now, left, first = states[-1], states[of_run[-1]], of_run[0]
    by_run = set[str]() if first else changed(EMPTY, states[0]) | {"body"}
    by_others = set[str]()
    for old, new in pairwise(states[max(first - 1, 0) : of_run[-1] + 1]):
        (by_run if new.by == by else by_others).update(changed(old, new))
    if by_run & by_others:
        return None
    if first == 0:
        if now.trashed:
            return now
        return None if (by_run - {"trashed"}) & changed(now, left) else replace(now, trashed=True)
    before = states[first - 1]
    back = by_run & changed(now, before)
    if back & changed(now, left) or (back and now.trashed and not left.trashed):
        return None
    return replace(now, **{name: getattr(before, name) for name in back})


class Notes(RuleBasedStateMachine):
    """Set by the test: the event loop, and a function that creates a user."""

    loop: asyncio.AbstractEventLoop
    somebody: Any
    ids = Bundle("ids")

    def wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    @initialize()
    def begin(self) -> None:
        self.person = type(self).somebody()
        self.runs = {"agent": new_id(), "other agent": new_id()}
        self.model: dict[str, Modelled] = {}
        self.writes = 0
        self.undone: set[str] = set()

    def writer(self, by: str) -> Any:
        if by in self.runs:
            return self.person.assistant(self.runs[by])
        actor = self.person.actor.model_copy(update={"kind": by})
        return type(self.person)(self.person.nc, actor)

    def request(self, by: str, operation: Any, **fields: Any) -> Any:
        return self.wait(self.writer(by).request(operation, **fields))

    def check(self, note: notes.Note) -> None:
        known = self.model[note.id]
        assert note.version == len(known.states)
        state = State(note.title, note.body, tuple(note.tags), note.pinned, note.deleted_at is not None, by="")
        assert state == content(known.now), note.id

    def became(self, note_id: str, **changes: Any) -> None:
        """Adds a version, if anything has changed."""
        known = self.model[note_id]
        wanted = replace(known.now, **changes)
        if content(wanted) != content(known.now):
            known.states.append(wanted)
            self.writes += 1

    @rule(target=ids, by=WRITERS, title=TITLES, body=TEXTS, tags=TAGS)
    def create(self, by: str, title: str, body: str, tags: list[str]) -> str:
        fields = {"title": title, "body": body, "tags": tags, "idempotency_key": new_id()}
        made = [self.request(by, notes.CREATE, **fields) for _ in range(2)]
        assert made[0] == made[1]
        self.model[made[0].id] = Modelled([State(title, body, tuple(tags), by=by)])
        self.writes += 1
        self.check(made[0])
        return made[0].id

    @rule(note=ids, by=WRITERS, title=TITLES, body=TEXTS, pinned=st.none() | st.booleans(), late=RARELY)
    def update(self, note: str, by: str, title: str, body: str, pinned: bool | None, late: bool) -> None:
        known = self.model[note]
        version = len(known.states)
        fields = {"id": note, "title": title, "body": body} | ({} if pinned is None else {"pinned": pinned})
        fields["expected_version"] = version - late or None
        if known.now.trashed:
            with pytest.raises(NotFound):
                self.request(by, notes.UPDATE, **fields)
        elif late and version > 1:
            with pytest.raises(VersionConflict) as refused:
                self.request(by, notes.UPDATE, **fields)
            assert refused.value.details["current"]["version"] == version
        else:
            changed = self.request(by, notes.UPDATE, **fields)
            former = known.now.title
            self.became(note, title=title, body=body, by=by, **({} if pinned is None else {"pinned": pinned}))
            if by not in ("user", "api") and title != former:
                self.relink(note, former, title, by)
            self.check(changed)

    def relink(self, note: str, former: str, title: str, by: str) -> None:
        """The assistant's renaming rewrites the links that led to the note."""
        if self.leading_to(former, note) != note:
            return
        for other, known in self.model.items():
            if not known.now.trashed:
                body = LINK.sub(
                    lambda link: title if link[0].casefold() == former.casefold() else link[0], known.now.body
                )
                self.became(other, body=body, by=by)

    @rule(note=ids, by=WRITERS)
    def delete(self, note: str, by: str) -> None:
        deleted = self.request(by, notes.DELETE, id=note)
        self.became(note, trashed=True, by=by)
        self.check(deleted)

    @rule(note=ids, by=WRITERS)
    def restore(self, note: str, by: str) -> None:
        restored = self.request(by, notes.RESTORE, id=note)
        self.became(note, trashed=False, by=by)
        self.check(restored)

    @rule(note=ids, data=st.data())
    def restore_version(self, note: str, data: st.DataObject) -> None:
        known = self.model[note]
        version = data.draw(st.integers(1, len(known.states)))
        fields = {"id": note, "version": version}
        if known.now.trashed:
            with pytest.raises(NotFound):
                self.request("user", note_history.RESTORE_REVISION, **fields)
            return
        back = self.request("user", note_history.RESTORE_REVISION, **fields)
        then = known.states[version - 1]
        self.became(note, title=then.title, body=then.body, tags=then.tags, by="user")
        self.check(back)

    @rule(note=consumes(ids))
    def purge(self, note: str) -> None:
        self.request("user", notes.PURGE, id=note)
        self.writes += 1
        del self.model[note]

    @rule(by=st.sampled_from(["agent", "other agent"]))
    def undo(self, by: str) -> None:
        """Afterwards the assistant continues in another run."""
        result = self.request("user", note_history.UNDO_RUN, run_id=self.runs[by])
        conflicts: set[str] = set()
        undone: set[str] = set()
        for note_id, known in self.model.items():
            of_run = [place for place, state in enumerate(known.states) if state.by == by]
            if not of_run:
                continue
            wanted = taken_back(known.states, of_run, by)
            if wanted is None:
                conflicts.add(note_id)
                continue
            if wanted.trashed and known.now.trashed:
                continue
            versions = len(known.states)
            self.became(note_id, **{**vars(wanted), "by": "user"})
            if len(known.states) > versions:
                undone.add(note_id)
        assert {conflict.note.id for conflict in result.conflicts} == conflicts
        assert {done.note.id for done in result.undone} == undone
        again = self.request("user", note_history.UNDO_RUN, run_id=self.runs[by])
        assert again == result
        self.rename(by)
        self.runs[by] = new_id()

    def rename(self, by: str) -> None:
        """Starts another run: the versions of the earlier one count as another writer's from now on."""
        for known in self.model.values():
            known.states = [replace(state, by=f"earlier {by}") if state.by == by else state for state in known.states]

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        if not hasattr(self, "person"):
            return
        feed = self.wait(self.person.request(notes.CHANGES))
        assert feed.cursor == self.writes
        there = self.wait(self.person.everything())
        assert there.keys() == self.model.keys()
        for note in there.values():
            self.check(note)

    def teardown(self) -> None:
        """Every version in the history is what the note was; the newest and the first are always there. The backlinks
        of a note are the notes whose texts link to it."""
        for note_id, known in getattr(self, "model", {}).items():
            linking = {note.id for note in self.request("user", note_links.BACKLINKS, id=note_id).notes}
            assert linking == self.linking_to(note_id)
            shown = [revision.version for revision in self.wait(self.person.history(note_id))]
            assert (shown[0], shown[-1]) == (len(known.states), 1)
            for version in shown:
                revision = self.request("user", note_history.REVISION, id=note_id, version=version)
                then = known.states[version - 1]
                assert (revision.title, revision.body, tuple(revision.tags), revision.pinned) == (
                    *(then.title, then.body, then.tags, then.pinned),
                )

    def linking_to(self, note_id: str) -> set[str]:
        title = self.model[note_id].now.title
        if self.leading_to(title, note_id) != note_id:
            return set()
        others = {other: known.now for other, known in self.model.items() if other != note_id}
        return {other for other, now in others.items() if not now.trashed and title.casefold() in _links(now.body)}

    def leading_to(self, title: str, note_id: str) -> str:
        """The note that a link with this title leads to, if this note has it: the oldest."""
        titled = (other for other, known in self.model.items() if known.now.title == title and not known.now.trashed)
        return min(*titled, note_id, note_id)


def _links(body: str) -> set[str]:
    return {title.casefold() for title in LINK.findall(body)}


async def test_whatever_is_done_the_model_says_what_comes_of_it(somebody):
    class Machine(Notes):
        pass

    Machine.loop, Machine.somebody = asyncio.get_running_loop(), staticmethod(somebody)
    await asyncio.to_thread(
        run_state_machine_as_test,
        Machine,
        settings=settings(
            max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
