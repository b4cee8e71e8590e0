"""Every field of a note, also a new one, is stored, listed, versioned, undone, repeated, exported and imported."""

from typing import Any

import pytest

from contracts import note_history, notes
from contracts.ids import new_id
from notes_service.revisions import STAYS_ON_RESTORE

from .uploads import counts, exported, imported

PROPERTIES = {"rating": 5, "aliases": ["Other"], "done": True, "b": None, "a": {"z": [1.5, "x"]}}
SAMPLES: dict[str, Any] = {
    **{"title": "Another title", "body": "other *words*", "tags": ["x", "y"], "properties": PROPERTIES},
    **dict.fromkeys(("pinned", "archived"), True),
}
"""A value for each field that differs from a new note's."""
FIELDS = list(notes.NoteContent.model_fields)


def content(note: notes.NoteContent) -> dict[str, Any]:
    return notes.NoteContent.of(note).model_dump()


def test_a_writer_may_set_every_field_that_is_stored():
    assert set(notes.NoteInput.model_fields) == set(FIELDS) == set(SAMPLES)
    assert set(notes.NewNote.model_fields) <= set(FIELDS)


@pytest.mark.parametrize("field", FIELDS)
async def test_a_field_is_changed_alone_and_read_everywhere(ada, field):
    made = await ada.create("Note", body="words", tags=["a"])
    changed = await ada.update(made, **{field: SAMPLES[field]}, idempotency_key="k")
    assert content(changed) == content(made) | {field: SAMPLES[field]}
    assert await ada.get(made.id) == changed
    await ada.update(made, **{field: content(made)[field]})
    assert content(await ada.get(made.id)) == content(made)
    assert await ada.update(made, title="repeated", idempotency_key="k") == changed
    revision = await ada.request(note_history.REVISION, id=made.id, version=2)
    assert content(revision) == content(changed)


async def test_every_field_beside_the_text_is_listed(ada):
    made = await ada.create("Note")
    changed = await ada.update(made, **SAMPLES)
    (shown,) = (await ada.request(notes.LIST, archived=True)).notes
    properties = notes.NoteProperties.model_fields
    assert shown.model_dump(include=set(properties)) == changed.model_dump(include=set(properties))


async def test_every_field_of_a_new_note_is_stored(ada):
    fields = {name: SAMPLES[name] for name in notes.NewNote.model_fields}
    assert content(await ada.create(**fields)).items() >= fields.items()


async def test_a_version_brings_back_every_field_but_where_the_note_is_shown(ada):
    made = await ada.create("Note", body="words")
    changed = await ada.update(made, **SAMPLES)
    back = await ada.request(note_history.RESTORE_REVISION, id=made.id, version=1)
    assert content(back) == content(made) | {name: content(changed)[name] for name in STAYS_ON_RESTORE}


async def test_undo_brings_back_every_field(ada):
    made, run = await ada.create("Note", body="words"), new_id()
    await ada.assistant(run).update(made, **SAMPLES)
    await ada.request(note_history.UNDO_RUN, run_id=run)
    assert content(await ada.get(made.id)) == content(made)


async def test_an_exported_note_is_imported_with_every_field(ada):
    made = await ada.create("Note")
    changed = await ada.update(made, **SAMPLES)
    archive = await exported(ada)
    await ada.request(notes.PURGE, id=made.id)
    assert counts(await imported(ada, {"notes.zip": archive})) == (1, 0, 0, 0)
    assert content(await ada.get(made.id)) == content(changed)
    await ada.update(made, **content(made))
    assert counts(await imported(ada, {"notes.zip": archive})) == (0, 1, 0, 0)
    assert content(await ada.get(made.id)) == content(changed)
