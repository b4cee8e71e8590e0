"""Links between notes: which titles a text links to, and which notes link to a note."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts import note_history, notes
from contracts.errors import NotFound, ValidationFailed
from contracts.ids import new_id
from contracts.note_links import BACKLINKS, LINKS_MAX
from contracts.notes import TITLE_MAX_CHARACTERS
from notes_service.links import KEY_MAX_BYTES, link_keys

from .uploads import imported


async def linking(person, note: notes.Note, **fields) -> list[str]:
    return [found.title for found in (await person.request(BACKLINKS, id=note.id, **fields)).notes]


@pytest.mark.parametrize(
    ("body", "titles"),
    [
        ("See [[Trip to Kraków]].", {"trip to krakow"}),
        ("[[ Trip | that journey ]] and [[TRIP]], [[trip]]", {"trip"}),
        ("[[A]][[B]] [[A]]", {"a", "b"}),
        ("- [[in a list]]\n> [[quoted]]\n\n# [[headed]]", {"in a list", "quoted", "headed"}),
        ("| a |\n|-|\n| [[Cell\\|shown]] |", {"cell"}),
        ("`[[code]]`\n\n```\n[[more code]]\n```\n\n    [[and more]]", set()),
        ("[[]] [[ [x](https://y) [[broken\nin two]] \\[[no]]", set()),
        (f"[[ {'x' * TITLE_MAX_CHARACTERS} ]]", {"x" * TITLE_MAX_CHARACTERS}),
        (f"[[{'x' * (KEY_MAX_BYTES + 1)}]] [[{'0.12, ' * 1500}]] [[short|{'shown ' * 500}]]", {"short"}),
        ("nothing", set()),
    ],
)
def test_what_is_a_link(body: str, titles: set[str]):
    assert link_keys(body) == titles


@given(st.text(st.sampled_from("[]|! a\\`\n*"), max_size=60))
def test_any_text_has_some_links_or_none(body: str):
    assert all("\n" not in title for title in link_keys(body))


async def test_the_notes_that_link_here(ada, bob):
    target = await ada.create("Trip to Kraków")
    await ada.create("Plans", body="First the [[trip to krakow]], then home")
    await ada.create("Diary", body="[[Trip to Kraków|It]] was fine. [[Trip to Kraków]] again. [[Plans]]")
    await ada.create("Other", body="Trip to Kraków")
    await bob.create("His", body="[[Trip to Kraków]]")
    assert await linking(ada, target) == ["Diary", "Plans"]


async def test_links_follow_the_text_and_the_title(ada):
    target, note = await ada.create("One"), await ada.create("Note", body="[[One]] [[Two]]")
    assert await linking(ada, target) == ["Note"]
    target = await ada.update(target, title="Three")
    assert await linking(ada, target) == []
    note = await ada.update(note, body="[[Two]] [[Three]]")
    assert await linking(ada, target) == ["Note"]
    await ada.update(note, title="Renamed", tags=["x"])
    assert await linking(ada, target) == ["Renamed"]
    await ada.request(note_history.RESTORE_REVISION, id=note.id, version=1)
    assert await linking(ada, target) == []
    await ada.update(target, title="two")
    assert await linking(ada, target) == ["Note"]


async def test_the_trash_links_to_nothing_and_is_linked_to(ada):
    target, note = await ada.create("One"), await ada.create("Note", body="[[One]]")
    await ada.request(notes.DELETE, id=note.id)
    assert await linking(ada, target) == []
    await ada.request(notes.RESTORE, id=note.id)
    assert await linking(ada, target) == ["Note"]
    await ada.request(notes.DELETE, id=target.id)
    assert await linking(ada, target) == ["Note"]
    await ada.request(notes.PURGE, id=note.id)
    assert await linking(ada, target) == []


async def test_a_note_that_links_to_itself_is_not_told(ada):
    assert await linking(ada, await ada.create("Me", body="[[Me]]")) == []


async def test_imported_notes_link_too(ada):
    target = await ada.create("One")
    await imported(ada, {"two.md": b"# Two\n\n[[One]]"})
    assert await linking(ada, target) == ["Two"]


GROWING = "".join(map(chr, [*range(0x1D15E, 0x1D165), *range(0x1D1BB, 0x1D1C1)]))
"""Musical notes, each of which becomes three characters of four bytes in NFC: the largest possible growth of a text."""


@pytest.mark.parametrize("letters", ["x", "ß", "ΐ", "ﬃ", "\N{DEVANAGARI LETTER QA}", GROWING])
async def test_the_longest_title_can_be_linked_to_in_any_script(ada, letters):
    """Its sort key fits into an index row, even if normalisation makes it longer."""
    title = "".join(random.Random(7).choices(letters, k=TITLE_MAX_CHARACTERS))
    target = await ada.create(title)
    await ada.create("Note", body=f"[[{title}]]")
    assert await linking(ada, target) == ["Note"]


async def test_what_is_no_title_can_be_written_in_brackets(ada):
    """A matrix on one line, and incompressible text: neither fits into an index row."""
    digits = ", ".join(f"{number / 7919:.9f}" for number in range(700))
    note = await ada.create("Matrix", body=f"[[{digits}]] and [[One]]")
    note = await ada.update(note, body=f"{note.body} [[{'x' * 3000}]]")
    await imported(ada, {"matrix.md": f"# Imported\n\n[[{digits}]]".encode(), "other.md": b"# Other\n\n[[One]]"})
    assert await linking(ada, await ada.create("One")) == ["Other", "Matrix"]
    assert sorted(await ada.titles()) == ["Imported", "Matrix", "One", "Other"]


async def test_pages_stay_right_while_notes_change(ada):
    target = await ada.create("One")
    made = [await ada.create(f"{number}", body="[[One]]") for number in range(7)]
    seen, cursor = [], None
    while True:
        page = await ada.request(BACKLINKS, id=target.id, limit=2, cursor=cursor)
        seen += [note.title for note in page.notes]
        cursor = page.next_cursor
        if cursor is None:
            break
        await ada.update(made[0], pinned=len(seen) % 4 == 0)
        await ada.create("Newer", body="[[One]]")
    assert seen == ["6", "5", "4", "3", "2", "1", "0"]


async def test_of_very_many_links_the_first_count(ada):
    first, last = await ada.create("Title 0"), await ada.create(f"Title {LINKS_MAX}")
    await ada.create("Index", body=" ".join(f"[[Title {number}]]" for number in range(LINKS_MAX + 1)))
    assert await linking(ada, first) == ["Index"]
    assert await linking(ada, last) == []


async def test_a_note_of_nobody_or_of_another_is_not_found(ada, bob):
    his = await bob.create("His")
    for note_id in (his.id, new_id()):
        with pytest.raises(NotFound):
            await ada.request(BACKLINKS, id=note_id)


@pytest.mark.parametrize("cursor", ["", "x", "7", "\0", "é", "' OR 1"])
async def test_a_cursor_made_up_is_refused(ada, cursor):
    note = await ada.create("One")
    with pytest.raises(ValidationFailed):
        await ada.request(BACKLINKS, id=note.id, cursor=cursor)


async def test_a_title_finds_its_notes(ada, bob):
    first = await ada.create("Résumé")
    second = await ada.create("RESUME")
    await ada.create("Resume 2")
    await bob.create("Resume")
    await ada.request(notes.UPDATE, id=first.id, pinned=True)
    assert await ada.titles(title=" resume ") == ["Résumé", "RESUME"]
    page = await ada.request(notes.LIST, title="resume", limit=1)
    assert [note.id for note in page.notes] == [first.id]
    page = await ada.request(notes.LIST, title="resume", limit=1, cursor=page.next_cursor)
    assert ([note.id for note in page.notes], page.next_cursor) == ([second.id], None)
    await ada.request(notes.DELETE, id=second.id)
    assert await ada.titles(title="resume") == ["Résumé"]
    assert await ada.titles(title="resume", trashed=True) == ["RESUME"]
