"""Lists: order, filters, previews, and pages that stay correct while notes change."""

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from contracts import notes
from contracts.errors import ValidationFailed
from contracts.ids import new_id
from notes_service.page_cursor import Position, decode


async def test_pinned_notes_come_first_then_the_newest(ada):
    made = [await ada.create(title) for title in ("one", "two", "three", "four")]
    await ada.update(made[1], pinned=True)
    await ada.update(made[0], body="changed")
    assert await ada.titles() == ["two", "one", "four", "three"]
    assert await ada.titles(sort="created") == ["two", "four", "three", "one"]


async def test_titles_sort_whatever_their_case_and_accents(ada):
    for title in ("Zebra", "éclair", "Eclipse", "apple", "Ähre", "10", "Łódź", "lo"):
        await ada.create(title)
    assert await ada.titles(sort="title") == ["10", "Ähre", "apple", "éclair", "Eclipse", "lo", "Łódź", "Zebra"]


async def test_filters(ada):
    food = await ada.create("food", tags=["shop", "home"])
    work = await ada.create("work", tags=["office"])
    old = await ada.create("old", tags=["shop"])
    await ada.update(old, archived=True)
    await ada.request(notes.DELETE, id=work.id)
    assert await ada.titles() == ["food"]
    assert await ada.titles(tag="shop") == ["food"]
    assert await ada.titles(tag="Shop") == []
    assert await ada.titles(archived=True) == ["old"]
    assert await ada.titles(archived=True, tag="shop") == ["old"]
    assert await ada.titles(trashed=True) == ["work"]
    assert await ada.titles(trashed=True, tag="shop") == []
    await ada.request(notes.DELETE, id=old.id)
    assert await ada.titles(trashed=True) == ["old", "work"]
    assert food.tags == ["shop", "home"]


async def test_tags_are_counted_with_those_nested_in_them(ada, bob):
    await ada.create("one", tags=["work/letters", "work/invoices", "home"])
    await ada.create("two", tags=["work", "Äpfel"])
    await ada.create("three", tags=["workshop", "/odd", "a//b", "work/letters/2026"])
    old = await ada.create("old", tags=["work/letters"])
    await ada.update(old, archived=True)
    gone = await ada.create("gone", tags=["work/gone"])
    await ada.request(notes.DELETE, id=gone.id)
    await bob.create("theirs", tags=["secret"])

    async def counts(**shelf: bool) -> dict[str, int]:
        found = await ada.request(notes.TAGS, **shelf)
        assert found.is_complete
        return {one.tag: one.count for one in found.tags}

    assert await counts() == {
        "/odd": 1,
        "a": 1,
        "a/": 1,
        "a//b": 1,
        "Äpfel": 1,
        "home": 1,
        "work": 3,
        "work/invoices": 1,
        "work/letters": 2,
        "work/letters/2026": 1,
        "workshop": 1,
    }
    assert await counts(archived=True) == {"work": 1, "work/letters": 1}
    assert await counts(trashed=True) == {"work": 1, "work/gone": 1}
    assert sorted(await ada.titles(tag="work")) == ["one", "three", "two"]
    assert sorted(await ada.titles(tag="work/letters")) == ["one", "three"]
    assert await ada.titles(tag="wor") == []


async def test_the_most_used_of_too_many_tags_are_counted(ada, monkeypatch):
    monkeypatch.setattr("notes_service.repository.notes.TAGS_COUNTED_MAX", 3)
    await ada.create("one", tags=["a", "b", "c", "d"])
    await ada.create("two", tags=["c", "d"])
    found = await ada.request(notes.TAGS)
    assert [(one.tag, one.count) for one in found.tags] == [("a", 1), ("c", 2), ("d", 2)]
    assert not found.is_complete


@pytest.mark.parametrize("sort", ["updated", "created", "title"])
async def test_pages_hold_every_note_once(ada, sort):
    made = [await ada.create(f"note {number % 7}") for number in range(23)]
    for note in made[::5]:
        await ada.update(note, pinned=True)
    seen: list[notes.NoteSummary] = []
    cursor = None
    while True:
        page = await ada.request(notes.LIST, limit=4, sort=sort, cursor=cursor)
        seen += page.notes
        cursor = page.next_cursor
        if cursor is None:
            break
        assert len(page.notes) == 4
    assert [note.id for note in seen] == [
        note.id for note in (await ada.request(notes.LIST, limit=200, sort=sort)).notes
    ]
    assert {note.id for note in seen} == {note.id for note in made}


async def test_a_last_page_that_is_full_is_the_last(ada):
    for _ in range(4):
        await ada.create()
    first = await ada.request(notes.LIST, limit=2)
    second = await ada.request(notes.LIST, limit=2, cursor=first.next_cursor)
    assert (len(first.notes), len(second.notes), second.next_cursor) == (2, 2, None)


async def test_pages_neither_repeat_nor_skip_what_stays_while_notes_change(ada):
    made = [await ada.create(f"{number}") for number in range(10)]
    first = await ada.request(notes.LIST, limit=5)
    await ada.update(made[9], body="moved to the top")
    await ada.create("new")
    await ada.request(notes.DELETE, id=made[5].id)  # the note of the cursor
    second = await ada.request(notes.LIST, limit=50, cursor=first.next_cursor)
    assert [note.title for note in first.notes + second.notes] == [f"{number}" for number in range(9, -1, -1)]


async def test_a_cursor_is_taken_only_where_it_was_made(ada):
    for number in range(3):
        await ada.create(f"{number}")
    cursor = (await ada.request(notes.LIST, limit=1)).next_cursor
    position = json.loads(base64.urlsafe_b64decode(cursor + "=="))

    def made(**changes) -> str:
        return base64.urlsafe_b64encode(json.dumps(position | changes).encode()).decode()

    assert len((await ada.request(notes.LIST, cursor=made())).notes) == 2
    for bad, sort in (
        (cursor, "title"),
        (cursor[:-4], "updated"),
        ("", "updated"),
        ("%%%", "updated"),
        ("ééé", "updated"),
        (made(key="yesterday"), "updated"),
        (made(key="2026-01-01T00:00:00"), "updated"),
        (made(key="0001-01-01T00:00:00+14:00"), "updated"),
        (made(key="0001-01-01T00:00:00+00:00"), "updated"),
        (made(key="9999-12-31T23:59:59.999999+00:00"), "updated"),
        (made(key=5), "updated"),
        (made(key="a\0b", sort="title"), "title"),
        (made(id="x"), "updated"),
        (made(id=None), "updated"),
        (base64.b64encode(b"[]").decode(), "updated"),
        (base64.b64encode(b"\xff\xfe").decode(), "updated"),
    ):
        with pytest.raises(ValidationFailed) as refused:
            await ada.request(notes.LIST, cursor=bad, sort=sort)
        assert refused.value.details["errors"][0]["field"] == "cursor"


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_refused(text):
    with contextlib.suppress(ValidationFailed):
        decode(text, "updated")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200), st.booleans())
def test_a_cursor_comes_back_as_it_was(key, pinned):
    position = Position(sort="title", pinned=pinned, key=key, id=new_id())
    assert decode(position.encode(), "title") == position


async def test_a_long_title_in_any_script_fits_into_a_cursor(ada):
    for title in ("😀" * 200, "ß" * 200, "\U0002f800" * 200):
        await ada.create(title)
    first = await ada.request(notes.LIST, limit=1, sort="title")
    assert len((await ada.request(notes.LIST, cursor=first.next_cursor, sort="title")).notes) == 2


async def test_a_preview_is_plain_text(ada):
    body = "# Plan\n\nSome **bold**, _soft_, `code` and [a link](https://x.example)\n\n- [ ] milk\n- eggs <b>now</b>\n"
    await ada.create("one", body=body)
    await ada.create("two", body="word " * 100_00)
    await ada.create("three")
    previews = {note.title: note.preview for note in (await ada.request(notes.LIST)).notes}
    assert previews["one"] == "Plan Some bold, soft, code and a link milk eggs now"
    assert previews["two"] == ("word " * 40).strip()
    assert previews["three"] == ""


async def test_the_overview_counts_and_names_the_newest(ada):
    made = [await ada.create(f"{number}") for number in range(5)]
    await ada.update(made[0], pinned=True)
    await ada.update(made[2], archived=True)
    await ada.request(notes.DELETE, id=made[4].id)
    overview = await ada.request(notes.OVERVIEW, newest=2)
    assert overview.count == 3
    assert [note.title for note in overview.newest] == ["0", "3"]
    assert (await ada.request(notes.OVERVIEW, newest=0)).newest == []


@pytest.mark.parametrize("limit", [0, 201, -1])
async def test_a_page_has_its_bounds(ada, limit):
    with pytest.raises(ValidationError):
        await ada.request(notes.LIST, limit=limit)
