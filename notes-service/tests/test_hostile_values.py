"""What a person may write, at its largest: an index row holds 2,700 bytes, a `tsvector` 1 MB, a cursor a title."""

import pytest

from contracts import note_history, note_links, notes
from contracts.notes import QUERY_MAX_CHARACTERS, TAG_MAX_CHARACTERS, TAGS_MAX, TITLE_MAX_CHARACTERS
from tests.hostile_text import ALPHABETS, hostile_text

from .uploads import counts, imported, zip_of


@pytest.mark.parametrize("name", ALPHABETS)
async def test_the_largest_values_are_stored_found_and_shown(ada, name):
    title = hostile_text(name, TITLE_MAX_CHARACTERS)
    tags = [hostile_text(name, TAG_MAX_CHARACTERS - 2) + f"{number:02}" for number in range(TAGS_MAX)]
    key = hostile_text(name, 200)
    body = f"[[{hostile_text(name, TITLE_MAX_CHARACTERS)}]] " + hostile_text(name, 20_000)
    made = await ada.create(title, tags=tags, body=body, idempotency_key=key)
    assert await ada.create("Another", idempotency_key=key) == made
    assert (await ada.request(notes.LIST, sort="title", limit=1)).notes[0].title == title
    assert [note.id for note in (await ada.request(notes.LIST, title=title)).notes] == [made.id]
    assert [note.id for note in (await ada.request(notes.LIST, tag=tags[0])).notes] == [made.id]
    await ada.search(hostile_text(name, QUERY_MAX_CHARACTERS))
    await ada.search(title)
    linking = await ada.create("Linking", body=f"[[{title}]]")
    assert (await ada.request(note_links.BACKLINKS, id=made.id, limit=10)).notes is not None
    second = await ada.create("Second")
    page = await ada.request(notes.LIST, sort="title", limit=1)
    assert (await ada.request(notes.LIST, sort="title", limit=2, cursor=page.next_cursor)).notes
    updated = await ada.update(made, body=f"{body}!")
    restored = await ada.request(note_history.RESTORE_REVISION, id=made.id, version=1)
    assert (restored.body, updated.version) == (body, 2)
    for note in (made, linking, second):
        await ada.request(notes.PURGE, id=note.id)


@pytest.mark.parametrize("name", ALPHABETS)
async def test_a_file_may_be_called_anything(ada, name):
    names = [f"{hostile_text(name, 200)}.md", f"folder/{hostile_text(name, 100)}.txt"]
    status = await imported(ada, {"z.zip": zip_of(dict.fromkeys(names, "text")), f"{hostile_text(name, 240)}.md": b"x"})
    created, _, _, skipped = counts(status)
    assert created + skipped == 3
    assert created >= 1
