"""Notes over HTTP, answered by the real notes service."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.ids import new_id

from .test_accounts import assert_problem

pytestmark = pytest.mark.usefixtures("notes_service")


async def create(person, **fields) -> dict:
    answer = await person.http.post("/api/notes", json={"title": "Shopping list"} | fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_note_from_beginning_to_end(ada) -> None:
    answer = await ada.http.post("/api/notes", json={"title": " Ink ", "body": "# Blue", "tags": ["a", "b", "a"]})
    note = answer.json()
    assert answer.headers["location"] == f"/api/notes/{note['id']}"
    assert answer.headers["etag"] == '"1"'
    assert note["title"] == "Ink"
    assert note["tags"] == ["a", "b"]
    assert note["updated_by"]["kind"] == "user"
    url = f"/api/notes/{note['id']}"
    read = await ada.http.get(url)
    assert (read.json(), read.headers["etag"]) == (note, '"1"')
    changed = await ada.http.patch(url, json={"body": "# Black", "pinned": True}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert changed.json()["body"] == "# Black"
    assert changed.json()["title"] == "Ink"
    listed = (await ada.http.get("/api/notes")).json()
    assert [(n["id"], n["pinned"], "body" in n) for n in listed["notes"]] == [(note["id"], True, False)]
    assert listed["notes"][0]["preview"]
    assert listed["next_cursor"] is None
    assert (await ada.http.delete(url)).status_code == 204
    assert (await ada.http.get("/api/notes")).json()["notes"] == []
    stale = await ada.http.post(f"{url}/restore", headers={"If-Match": '"2"'})
    assert_problem(stale, 412, "version_conflict")
    assert (stale.json()["current"]["version"], bool(stale.json()["current"]["deleted_at"])) == (3, True)
    restored = await ada.http.post(f"{url}/restore", headers={"If-Match": '"3"'})
    assert (restored.status_code, restored.json()["deleted_at"]) == (200, None)
    assert [n["id"] for n in (await ada.http.get("/api/notes")).json()["notes"]] == [note["id"]]


async def test_pages_follow_on(ada) -> None:
    made = [(await create(ada, title=f"Note {number}"))["id"] for number in range(7)]
    seen, cursor = [], None
    while True:
        page = (await ada.http.get("/api/notes", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [note["id"] for note in page["notes"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(made)
    assert_problem(await ada.http.get("/api/notes?cursor=made-up"), 422, "validation_failed")


async def test_search_marks_what_it_found(ada) -> None:
    note = await create(ada, title="Eggs", body="<b>scrambled</b> eggs with butter")
    found = (await ada.http.get("/api/notes/search", params={"q": "butt"})).json()["results"]
    assert [hit["note"]["id"] for hit in found] == [note["id"]]
    assert "<mark>butter</mark>" in found[0]["snippet"]
    assert "<b>" not in found[0]["snippet"]


async def test_links_lead_there_and_back(ada) -> None:
    note = await create(ada, title="Crème brûlée")
    linking = [await create(ada, title=f"Menu {number}", body="Then [[creme brulee|that]].") for number in range(3)]
    url = f"/api/notes/{note['id']}/backlinks"
    page = (await ada.http.get(url, params={"limit": 2})).json()
    assert [(found["id"], found["preview"]) for found in page["notes"]] == [
        (linking[2]["id"], "Then that."),
        (linking[1]["id"], "Then that."),
    ]
    rest = (await ada.http.get(url, params={"limit": 2, "cursor": page["next_cursor"]})).json()
    assert ([found["id"] for found in rest["notes"]], rest["next_cursor"]) == ([linking[0]["id"]], None)
    called = (await ada.http.get("/api/notes", params={"title": "creme brulee"})).json()
    assert [found["id"] for found in called["notes"]] == [note["id"]]
    assert_problem(await ada.http.get(f"/api/notes/{new_id()}/backlinks"), 404, "not_found")
    assert_problem(await ada.http.get(url, params={"cursor": "made-up"}), 422, "validation_failed")


async def test_links_lead_to_notes_and_are_rewritten(ada) -> None:
    note = await create(ada, title="Old")
    linking = await create(ada, title="Menu", body="[[Old#part]] and [[Nowhere]]")
    links = {"source_id": linking["id"], "links": ["[[Old#part]]", "[[Nowhere]]", "Old.md", "https://example.org"]}
    found = (await ada.http.post("/api/notes/links", json=links)).json()["notes"]
    assert found == [(here := {"id": note["id"], "title": "Old"}), None, here, None]
    assert_problem(await ada.http.post("/api/notes/links", json={"links": ["x"] * 101}), 422, "validation_failed")
    assert_problem(await ada.http.post("/api/notes/links", json=links | {"source_id": new_id()}), 404, "not_found")
    url = f"/api/notes/{note['id']}"
    await ada.http.patch(url, json={"title": "New"})
    former = {"former_title": "Old"}
    broken = (await ada.http.get(f"{url}/backlinks", params=former)).json()["notes"]
    assert [one["id"] for one in broken] == [linking["id"]]
    relinked = (await ada.http.post(f"{url}/relink", json=former)).json()
    assert relinked == {"updated": 1, "next_cursor": None}
    assert (await ada.http.get(f"/api/notes/{linking['id']}")).json()["body"] == "[[New#part]] and [[Nowhere]]"
    assert_problem(await ada.http.post(f"/api/notes/{new_id()}/relink", json=former), 404, "not_found")


async def test_a_stale_write_is_refused_with_the_note_as_it_is(ada) -> None:
    note = await create(ada)
    url = f"/api/notes/{note['id']}"
    await ada.http.patch(url, json={"title": "Newer"})
    for method, body in (("PATCH", {"title": "Mine"}), ("DELETE", None)):
        answer = await ada.http.request(method, url, json=body, headers={"If-Match": '"1"'})
        problem = assert_problem(answer, 412, "version_conflict")
        assert (problem["current"]["title"], problem["current"]["version"]) == ("Newer", 2)
    assert (await ada.http.get(url)).json()["title"] == "Newer"


@pytest.mark.parametrize("tag", ['W/"1"', '"x"', '"99999999999999999999"', '"0"', '"-1"', '"1", "2"', '""', '"１"'])
async def test_a_tag_that_no_note_has_matches_none(ada, tag: str) -> None:
    note = await create(ada)
    url = f"/api/notes/{note['id']}"
    answer = await ada.http.patch(url, json={"title": "Mine"}, headers={"If-Match": tag.encode()})
    assert_problem(answer, 412, "version_conflict")


@pytest.mark.parametrize("tag", ["1", "x", '"1', '"1""2"', "", '"1" "2"'])
async def test_what_is_no_tag_is_refused(ada, tag: str) -> None:
    note = await create(ada)
    answer = await ada.http.patch(f"/api/notes/{note['id']}", json={"title": "Mine"}, headers={"If-Match": tag})
    assert_problem(answer, 422, "validation_failed")


async def test_any_version_may_be_meant(ada) -> None:
    note = await create(ada)
    answer = await ada.http.patch(f"/api/notes/{note['id']}", json={"title": "Mine"}, headers={"If-Match": "*"})
    assert answer.status_code == 200


async def test_what_is_known_is_not_sent_again(ada) -> None:
    note = await create(ada)
    url = f"/api/notes/{note['id']}"
    known = await ada.http.get(url, headers={"If-None-Match": '"1"'})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", '"1"')
    assert (await ada.http.get(url, headers={"If-None-Match": '"7"'})).status_code == 200


async def test_the_same_key_changes_nothing_twice(ada) -> None:
    headers = {"Idempotency-Key": new_id()}
    answers = [await ada.http.post("/api/notes", json={"title": "Once"}, headers=headers) for _ in range(3)]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await ada.http.get("/api/notes")).json()["notes"]) == 1
    too_long = await ada.http.post("/api/notes", json={"title": "Once"}, headers={"Idempotency-Key": "k" * 201})
    assert_problem(too_long, 422, "validation_failed")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        ({"title": ""}, "title"),
        ({"title": "   "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"title": 7}, "title"),
        ({"title": "x", "body": "é" * 131_073}, "body"),
        ({"title": "x", "body": "a\x00b"}, "body"),
        ({"title": "x", "body": None}, "body"),
        ({"title": "x", "tags": ["t"] * 33}, "tags"),
        ({"title": "x", "tags": "text"}, "tags"),
        ({"title": "x", "tags": ["", "y"]}, "tags.0"),
        ({"title": "x", "tags": ["y" * 51]}, "tags.0"),
    ],
)
async def test_a_note_has_limits(ada, body: dict, field: str) -> None:
    problem = assert_problem(await ada.http.post("/api/notes", json=body), 422, "validation_failed")
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_the_largest_note_fits(ada) -> None:
    largest = {"title": "\U0001f58b" * 200, "body": "\x01" * 262_144, "tags": [f"{n:050}" for n in range(32)]}
    note = await create(ada, **largest)
    assert {name: note[name] for name in largest} == largest


@pytest.mark.parametrize("body", [{}, {"other": 1}, {"title": None}, {"pinned": "maybe"}, [], None])
async def test_a_senseless_change_is_refused(ada, body) -> None:
    note = await create(ada)
    answer = await ada.http.patch(f"/api/notes/{note['id']}", json=body)
    assert_problem(answer, 422, "validation_failed")


async def test_changes_are_told_in_order(ada) -> None:
    begin = (await ada.http.get("/api/notes/changes")).json()
    assert begin == {"changes": [], "cursor": 0}
    note = await create(ada)
    await ada.http.delete(f"/api/notes/{note['id']}")
    feed = (await ada.http.get("/api/notes/changes?since=0")).json()
    assert [(c["op"], c["cursor"], c["actor"]["kind"]) for c in feed["changes"]] == [
        ("create", 1, "user"),
        ("delete", 2, "user"),
    ]
    assert feed["cursor"] == 2
    assert_problem(await ada.http.get("/api/notes/changes?since=999"), 410, "cursor_expired")


async def test_nothing_of_one_user_reaches_another(ada, bob) -> None:
    note = await create(ada, title="Secret")
    url = f"/api/notes/{note['id']}"
    for method, path in (("GET", url), ("PATCH", url), ("DELETE", url), ("POST", f"{url}/restore")):
        answer = await bob.http.request(method, path, json={"title": "Mine"} if method == "PATCH" else None)
        assert_problem(answer, 404, "not_found")
    for path in ("/api/notes", "/api/notes/search?q=Secret", "/api/notes/changes?since=0"):
        assert "Secret" not in (await bob.http.get(path)).text
    assert (await ada.http.get(url)).json() == note


async def test_what_is_not_there_is_not_found(ada) -> None:
    url = f"/api/notes/{new_id()}"
    for method, path in (("GET", url), ("PATCH", url), ("DELETE", url), ("POST", f"{url}/restore")):
        answer = await ada.http.request(method, path, json={"title": "Mine"} if method == "PATCH" else None)
        assert_problem(answer, 404, "not_found")


async def test_any_text_comes_back_as_it_was(ada) -> None:
    loop = asyncio.get_running_loop()
    text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=300)
    line = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=200)

    @settings(max_examples=40, deadline=None)
    @given(title=line.filter(str.strip), body=text)
    def round_trip(title: str, body: str) -> None:
        made = asyncio.run_coroutine_threadsafe(create(ada, title=title, body=body), loop).result(10)
        assert (made["title"], made["body"]) == (title.strip(), body)

    await asyncio.to_thread(round_trip)


async def test_tags_are_counted_and_the_trash_is_emptied(ada) -> None:
    note = (await ada.http.post("/api/notes", json={"title": "Letter", "tags": ["work/letters"]})).json()
    counted = (await ada.http.get("/api/notes/tags")).json()
    assert counted == {
        "tags": [{"tag": "work", "count": 1}, {"tag": "work/letters", "count": 1}],
        "is_complete": True,
    }
    assert [one["id"] for one in (await ada.http.get("/api/notes", params={"tag": "work"})).json()["notes"]] == [
        note["id"]
    ]
    await ada.http.delete(f"/api/notes/{note['id']}")
    for bad in (
        {},
        {"before": "soon"},
        {"before": "0001-01-01T00:00:00+14:00"},
        {"before": "9999-12-31T23:59:59-14:00"},
    ):
        assert (await ada.http.post("/api/notes/trash/empty", json=bad)).status_code == 422, bad
    (gone,) = (await ada.http.get("/api/notes", params={"trashed": True})).json()["notes"]
    early = await ada.http.post("/api/notes/trash/empty", json={"before": "2020-01-01T00:00:00Z"})
    assert early.json() == {"deleted": 0, "has_more": False}
    done = await ada.http.post("/api/notes/trash/empty", json={"before": gone["deleted_at"]})
    assert done.json() == {"deleted": 1, "has_more": False}
    assert (await ada.http.get("/api/notes", params={"trashed": True})).json()["notes"] == []
