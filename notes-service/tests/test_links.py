"""Where links lead, in vaults of other programs and among the notes of one user; what a renaming makes of them."""

import pytest

from contracts import note_history, notes
from contracts.errors import NotFound
from contracts.ids import new_id
from contracts.note_links import BACKLINKS, RELINK, RELINKED_MAX, RESOLVE_LINKS
from notes_service.link_names import NamedNote, path_names

from .uploads import imported, zip_of
from .vaults import DIALECTS, WORDS, Vault, shuffled


async def resolve(person, *links: str, source: str | None = None) -> list[str | None]:
    """The titles of the notes that the links lead to."""
    found = await person.request(RESOLVE_LINKS, source_id=source, links=list(links))
    return [note and note.title for note in found.notes]


async def ids_by_file(db, person) -> dict[str, str]:
    rows = await db.fetch("SELECT id::text, path FROM notes WHERE user_id = $1", person.actor.user_id)
    return {f"{row['path']}.md": row["id"] for row in rows}


async def wrong_links(person, vault: Vault, ids: dict[str, str]) -> list[tuple[str, str, str | None]]:
    by_source: dict[str, list[tuple[str, str | None]]] = {}
    for source, text, target in vault.links:
        by_source.setdefault(source, []).append((text, target))
    wrong: list[tuple[str, str, str | None]] = []
    for source, links in by_source.items():
        for some in (links[at : at + 100] for at in range(0, len(links), 100)):
            found = await person.request(RESOLVE_LINKS, source_id=ids[source], links=[text for text, _ in some])
            wrong += [
                (source, text, target)
                for (text, target), note in zip(some, found.notes, strict=True)
                if (note and note.id) != (ids[target] if target else None)
            ]
    return wrong


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_link_of_a_vault_leads_to_its_note(ada, db, dialect: str, language: str):
    vault = DIALECTS[dialect](WORDS[language])
    await imported(ada, {"vault.zip": zip_of(shuffled({f"My vault/{n}": t for n, t in vault.files.items()}, 7))})
    ids = {name.removeprefix("My vault/"): note_id for name, note_id in (await ids_by_file(db, ada)).items()}
    assert ids.keys() == vault.files.keys()
    assert await wrong_links(ada, vault, ids) == []
    for target in vault.files:
        sources = {source for source, _, leads_to in vault.links if leads_to == target} - {target}
        found = await ada.request(BACKLINKS, id=ids[target], limit=200)
        assert {note.id for note in found.notes} == {ids[source] for source in sources}, target


async def test_a_vault_without_its_folder_has_the_same_links(ada, db):
    vault = DIALECTS["obsidian"](WORDS["English"])
    await imported(ada, {"vault.zip": zip_of(vault.files)})
    assert await wrong_links(ada, vault, await ids_by_file(db, ada)) == []


@pytest.mark.parametrize(
    ("link", "title"),
    [
        ("[[v1.2]]", "v1.2"),
        ("[[v1]]", "v1"),
        ("[[C#]]", "C#"),
        ("[[c]]", "C"),
        ("[[C#Heading]]", "C"),
        ("[[AC/DC]]", "AC/DC"),
        ("AC%2FDC.md", "AC/DC"),
        ("[[Notes.md]]", "Notes.md"),
        ("[[notes]]", "Notes"),
        ("v1.2.md#part", "v1.2"),
        ("[[Resume]]", "Resume"),
        ("[[Résumé]]", "Résumé"),
        ("[[rÉsume]]", "Resume"),
        ("[[v1-2]]", None),
        ("[[C++]]", None),
        ("[[#C]]", None),
        ("[[]]", None),
        ("https://example.org/C.md", None),
        ("//example.org/C", None),
        ("mailto:c@example.org", None),
        ("#c", None),
        ("/notes?note=7", None),
        ("notes.png", None),
        ("%00", None),
        ("%ff%fe.md", None),
        ("[[a\nb]]", None),
        ("../../../../C.md", "C"),
        ("..", None),
    ],
)
async def test_names_are_taken_as_they_are_written(ada, link: str, title: str | None):
    for name in ("v1.2", "v1", "C", "C#", "AC/DC", "Notes", "Notes.md", "Resume", "Résumé", "AC"):
        await ada.create(name)
    assert await resolve(ada, link) == [title]


async def test_links_do_not_lead_to_others_or_into_the_trash(ada, bob):
    his = await bob.create("His")
    gone = await ada.create("Gone")
    archived = await ada.create("Old")
    await ada.update(archived, archived=True, pinned=True)
    await ada.request(notes.DELETE, id=gone.id)
    assert await resolve(ada, "[[His]]", "[[Gone]]", "[[Old]]") == [None, None, "Old"]
    with pytest.raises(NotFound):
        await resolve(ada, "[[His]]", source=his.id)


def test_the_names_of_a_file_are_bounded():
    deep = "/".join(f"folder {number}" for number in range(400)) + "/Note"
    assert len(list(path_names(deep))) < 20
    assert NamedNote("1", "T", "a%00b").stored_keys() == {"a%00b": False}


# What a renaming does.

FORMS = """[[Old name]] [[Old name#Part|shown]] [[old name^b]] ![[Old name]] [[Old name.md]] [[Other]]
[t](Old%20name.md) [t](<Old name.md#x> "Old name") [t][1] `[[Old name]]` [[Not|Old name]]

[1]: ./Old%20name.md

| [[Old name\\|x]] |
|-|
"""


def renamed(name: str, encoded: str) -> str:
    return f"""[[{name}]] [[{name}#Part|shown]] [[{name}^b]] ![[{name}]] [[{name}.md]] [[Other]]
[t]({encoded}.md) [t](<{name}.md#x> "Old name") [t][1] `[[Old name]]` [[Not|Old name]]

[1]: ./{encoded}.md

| [[{name}\\|x]] |
|-|
"""


async def test_the_assistant_renames_a_note_with_all_links(ada):
    target, note = await ada.create("Old name", body="I am [[Old name]]"), await ada.create("Note", body=FORMS)
    run_id = new_id()
    changed = await ada.assistant(run_id).update(target, title="Neü name")
    assert (changed.title, changed.body) == ("Neü name", "I am [[Neü name]]")
    assert (await ada.get(note.id)).body == renamed("Neü name", "Neü%20name")
    assert (await ada.get(note.id)).updated_by.run_id == run_id
    assert [found.title for found in (await ada.request(BACKLINKS, id=target.id)).notes] == ["Note"]
    await ada.request(note_history.UNDO_RUN, run_id=run_id)
    assert ((await ada.get(target.id)).title, (await ada.get(note.id)).body) == ("Old name", FORMS)


async def test_a_person_renames_and_then_decides(ada):
    target, note = await ada.create("Old name"), await ada.create("Note", body=FORMS)
    await ada.update(target, title="New")
    assert (await ada.get(note.id)).body == FORMS
    broken = await ada.request(BACKLINKS, id=target.id, former_title="Old name")
    assert [found.title for found in broken.notes] == ["Note"]
    done = await ada.request(RELINK, id=target.id, former_title="Old name")
    assert (done.updated, done.next_cursor) == (1, None)
    assert (await ada.get(note.id)).body == renamed("New", "New")
    again = await ada.request(RELINK, id=target.id, former_title="Old name")
    assert again.updated == 0
    assert (await ada.request(BACKLINKS, id=target.id, former_title="Old name")).notes == []


async def test_links_stay_that_lead_to_another_note_by_now(ada):
    target, note = await ada.create("Old"), await ada.create("Note", body="[[Old]]")
    await ada.update(target, title="New")
    await ada.create("Old")
    assert (await ada.request(BACKLINKS, id=target.id, former_title="Old")).notes == []
    assert (await ada.request(RELINK, id=target.id, former_title="Old")).updated == 0
    assert (await ada.get(note.id)).body == "[[Old]]"


async def test_a_title_that_no_wiki_link_can_have_becomes_another_link(ada):
    target = await ada.create("Old")
    note = await ada.create("Note", body="[[Old]], [[Old#A b|shown]] and ![[Old]]")
    await ada.assistant(new_id()).update(target, title="a [new] title | x")
    body = (await ada.get(note.id)).body
    assert body == (
        "[a \\[new\\] title | x](a%20%5Bnew%5D%20title%20%7C%20x.md), [shown](a%20%5Bnew%5D%20title%20%7C%20x.md#A%20b)"
        " and ![a \\[new\\] title | x](a%20%5Bnew%5D%20title%20%7C%20x.md)"
    )
    assert await resolve(ada, "a%20%5Bnew%5D%20title%20%7C%20x.md") == ["a [new] title | x"]
    assert [found.title for found in (await ada.request(BACKLINKS, id=target.id)).notes] == ["Note"]


async def test_a_file_called_after_its_note_is_renamed_with_it(ada, db):
    files = {
        "V/One/Old.md": "text",
        "V/Two/Old.md": "same name",
        "V/One/From.md": "[[Old]] [[One/Old]] [[Two/Old]] [t](Old.md)",
        "V/Two/Far.md": "[[One/Old|x]] [[Old]] [t](../One/Old.md#h)",
        "V/Kept.md": "# A title of its own",
        "V/By name.md": "[[Kept]] [[A title of its own]]",
    }
    await imported(ada, {"v.zip": zip_of(files)})
    ids = await ids_by_file(db, ada)
    await ada.request(notes.UPDATE, id=ids["V/Kept.md"], title="Another title")
    assistant = ada.assistant(new_id())
    await assistant.request(notes.UPDATE, id=ids["V/One/Old.md"], title="New: it")
    assert (await ada.get(ids["V/One/From.md"])).body == "[[New: it]] [[One/New- it]] [[Two/Old]] [t](New-%20it.md)"
    assert (await ada.get(ids["V/Two/Far.md"])).body == "[[One/New- it|x]] [[Old]] [t](../One/New-%20it.md#h)"
    here = ids["V/One/From.md"]
    assert await resolve(ada, "[[New- it]]", "[[One/New- it]]", "New-%20it.md", source=here) == ["New: it"] * 3
    assert await resolve(ada, "[[Kept]]", source=ids["V/By name.md"]) == ["Another title"]


async def test_aliases_are_names_and_come_last(ada, db):
    files = {"A.md": "---\naliases: [Nick, B]\n---\ntext", "B.md": "text", "From.md": "[[nick]] [[B]]"}
    await imported(ada, {"v.zip": zip_of(files)})
    ids = await ids_by_file(db, ada)
    assert await resolve(ada, "[[nick]]", "[[B]]", source=ids["From.md"]) == ["A", "B"]
    assert [note.title for note in (await ada.request(BACKLINKS, id=ids["A.md"])).notes] == ["From"]
    await ada.request(notes.UPDATE, id=ids["A.md"], title="C")
    assert await resolve(ada, "[[nick]]", "[[C]]", "[[A]]") == ["C", "C", None]


async def test_very_many_links_are_rewritten_page_by_page(ada):
    target = await ada.create("Old")
    for number in range(RELINKED_MAX + 20):
        await ada.create(f"Note {number}", body="see [[Old]]")
    assistant = ada.assistant(new_id())
    await assistant.update(target, title="New")
    left = await ada.request(BACKLINKS, id=target.id, former_title="Old", limit=200)
    assert len(left.notes) == 20
    done = await assistant.request(RELINK, id=target.id, former_title="Old")
    assert (done.updated, done.next_cursor) == (20, None)
    assert len((await ada.request(BACKLINKS, id=target.id, limit=200)).notes) == RELINKED_MAX + 20
