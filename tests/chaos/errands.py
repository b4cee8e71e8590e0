"""Scenarios: actions in one conversation, and the notes that must result from them."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.deeds import Deed, Regenerate, Rephrase, Say, Undo


@dataclass(frozen=True)
class Expected:
    """A resulting note. `lines`: its text, without list marks. `ops`: its changes, each once, including those by an
    undo; if the last one is `delete`, the note is in the trash."""

    title: str
    lines: tuple[str, ...]
    ops: tuple[str, ...]


@dataclass(frozen=True)
class Errand:
    deeds: tuple[Deed, ...]
    notes: tuple[Expected, ...] = ()


def _story(tag: str) -> Errand:
    return Errand((Say(f"Tell a long story about {tag}"),))


def _note(tag: str) -> Errand:
    return Errand(
        (Say(f"Create a note titled Box {tag} with milk and eggs"),),
        (Expected(f"Box {tag}", ("milk", "eggs"), ("create",)),),
    )


def _several_notes(tag: str) -> Errand:
    return Errand(
        (Say(f"Create notes titled Box {tag}a, Box {tag}b and Box {tag}c"),),
        tuple(Expected(f"Box {tag}{letter}", (), ("create",)) for letter in "abc"),
    )


def _several_tools(tag: str) -> Errand:
    return Errand(
        (
            Say(
                f"Create a note titled Box {tag} with milk and eggs, then add butter to it, "
                f"then rename it to Crate {tag}"
            ),
        ),
        (Expected(f"Crate {tag}", ("milk", "eggs", "butter"), ("create", "update", "update")),),
    )


def _made_and_deleted(tag: str) -> Errand:
    return Errand(
        (Say(f"Create a note titled Box {tag} with milk and eggs, then change milk to cream in it, then delete it"),),
        (Expected(f"Box {tag}", ("cream", "eggs"), ("create", "update", "delete")),),
    )


def _long_talk(tag: str) -> Errand:
    return Errand(
        (
            Say(f"Create a note titled Box {tag} with milk and eggs"),
            Say(f"find my note about {tag} and add butter to it"),
            Say(f"change eggs to figs in Box {tag}"),
            Say("Tell a long story"),
            Say(f"rename Box {tag} to Crate {tag}"),
            Say(f"delete the note Crate {tag}"),
        ),
        (
            Expected(
                f"Crate {tag}",
                ("milk", "figs", "butter"),
                ("create", "update", "update", "update", "delete"),
            ),
        ),
    )


def _made_and_taken_back(tag: str) -> Errand:
    return Errand(
        (Say(f"Create notes titled Box {tag}a, Box {tag}b and Box {tag}c"), Undo()),
        tuple(Expected(f"Box {tag}{letter}", (), ("create", "delete")) for letter in "abc"),
    )


def _changed_and_undone(tag: str) -> Errand:
    """The undo keeps the changes of the previous run."""
    return Errand(
        (
            Say(f"Create a note titled Box {tag} with milk and eggs"),
            Say(f"change milk to cream in Box {tag}, then add butter to it"),
            Undo(),
        ),
        (Expected(f"Box {tag}", ("milk", "eggs"), ("create", "update", "update", "update")),),
    )


def _deleted_and_taken_back(tag: str) -> Errand:
    return Errand(
        (Say(f"Create a note titled Box {tag} with milk and eggs"), Say(f"delete the note Box {tag}"), Undo()),
        (Expected(f"Box {tag}", ("milk", "eggs"), ("create", "delete", "restore")),),
    )


def _refused(tag: str) -> Errand:
    return Errand(
        (
            Say(f"Create a note titled Box {tag} with milk and eggs"),
            Say(f"delete the note Box {tag}", reply="deny"),
            Say(f"delete the note Box {tag}", reply="stop"),
        ),
        (Expected(f"Box {tag}", ("milk", "eggs"), ("create",)),),
    )


def _edited_and_regenerated(tag: str) -> Errand:
    """Branches with stories, then a change to a note at the end of the last branch."""
    return Errand(
        (
            Say(f"Tell a long story about {tag}"),
            Regenerate(),
            Rephrase(f"Tell a long story about another {tag}"),
            Regenerate(),
            Say(f"Create a note titled Box {tag} with milk and eggs"),
        ),
        (Expected(f"Box {tag}", ("milk", "eggs"), ("create",)),),
    )


ERRANDS: tuple[Callable[[str], Errand], ...] = (
    _story,
    _note,
    _several_notes,
    _several_tools,
    _made_and_deleted,
    _long_talk,
    _made_and_taken_back,
    _changed_and_undone,
    _deleted_and_taken_back,
    _refused,
    _edited_and_regenerated,
)


def errand(rng: random.Random) -> Errand:
    """A random scenario with unique note titles."""
    return rng.choice(ERRANDS)(f"q{rng.getrandbits(40):010x}")
