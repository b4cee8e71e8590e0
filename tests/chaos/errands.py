"""What people want: things to say to the assistant one after another, and how their notes must look in the end."""

import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Expected:
    """A note in the end. `lines`: its text, without list marks. `ops`: what was done to it, each once; a note whose
    last is `delete` is in the trash."""

    title: str
    lines: tuple[str, ...]
    ops: tuple[str, ...]


@dataclass(frozen=True)
class Errand:
    says: tuple[str, ...]
    notes: tuple[Expected, ...] = ()


def _story(tag: str) -> Errand:
    return Errand((f"Tell a long story about {tag}",))


def _note(tag: str) -> Errand:
    return Errand(
        (f"Create a note titled Box {tag} with milk and eggs",),
        (Expected(f"Box {tag}", ("milk", "eggs"), ("create",)),),
    )


def _several_notes(tag: str) -> Errand:
    return Errand(
        (f"Create notes titled Box {tag}a, Box {tag}b and Box {tag}c",),
        tuple(Expected(f"Box {tag}{letter}", (), ("create",)) for letter in "abc"),
    )


def _several_tools(tag: str) -> Errand:
    return Errand(
        (f"Create a note titled Box {tag} with milk and eggs, then add butter to it, then rename it to Crate {tag}",),
        (Expected(f"Crate {tag}", ("milk", "eggs", "butter"), ("create", "update", "update")),),
    )


def _made_and_deleted(tag: str) -> Errand:
    return Errand(
        (f"Create a note titled Box {tag} with milk and eggs, then change milk to cream in it, then delete it",),
        (Expected(f"Box {tag}", ("cream", "eggs"), ("create", "update", "delete")),),
    )


def _long_talk(tag: str) -> Errand:
    return Errand(
        (
            f"Create a note titled Box {tag} with milk and eggs",
            f"find my note about {tag} and add butter to it",
            f"change eggs to figs in Box {tag}",
            "Tell a long story",
            f"rename Box {tag} to Crate {tag}",
            f"delete the note Crate {tag}",
        ),
        (
            Expected(
                f"Crate {tag}",
                ("milk", "figs", "butter"),
                ("create", "update", "update", "update", "delete"),
            ),
        ),
    )


ERRANDS: tuple[Callable[[str], Errand], ...] = (
    _story,
    _note,
    _several_notes,
    _several_tools,
    _made_and_deleted,
    _long_talk,
)


def errand(rng: random.Random) -> Errand:
    """One of them, about something nobody else has."""
    return rng.choice(ERRANDS)(f"q{rng.getrandbits(40):010x}")
