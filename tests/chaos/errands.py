"""What people want: things to do in one conversation after another, and how their notes must look in the end."""

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.chaos.deeds import Deed, Regenerate, Rephrase, Say, Undo


@dataclass(frozen=True)
class Expected:
    """A note in the end. `lines`: its text, without list marks. `ops`: what was done to it, each once, what undoing did
    included; a note whose last is `delete` is in the trash."""

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


def _changed_and_taken_back(tag: str) -> Errand:
    """What the run before had made stays."""
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


def _told_otherwise(tag: str) -> Errand:
    """Branches of stories, and then something real at the end of the last."""
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
    _changed_and_taken_back,
    _deleted_and_taken_back,
    _refused,
    _told_otherwise,
)


def errand(rng: random.Random) -> Errand:
    """One of them, about something nobody else has."""
    return rng.choice(ERRANDS)(f"q{rng.getrandbits(40):010x}")
