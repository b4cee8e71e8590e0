"""Two devices edit one note at the same time: their changes are merged, and the user resolves conflicts."""

from typing import Any

from playwright.async_api import expect

from tests.e2e.person import NewContext, Person, new_username, open_window

LINES = "\n".join(f"line {number} of the story" for number in range(1, 121))
CURSOR = """() => {
  const line = document.getSelection().anchorNode.parentElement.closest('.cm-line')
  return { line: line.textContent, top: line.getBoundingClientRect().top }
}"""
"""The line of the cursor, and its position on the screen."""
WATCH_MARKS = """() => {
  window.marked = [];
  new MutationObserver(() => {
    for (const mark of document.querySelectorAll(".cm-content mark")) window.marked.push(mark.textContent);
  }).observe(document.querySelector(".cm-content"), { subtree: true, childList: true });
}"""
"""Records highlighted text: a highlight disappears after some seconds, and a slow machine may look too late."""


async def two_devices(new_context: NewContext, url: str, body: str) -> tuple[Person, Person, dict[str, Any]]:
    """One user's note "Story", open on both devices."""
    laptop, phone = await new_context(base_url=url), await new_context(base_url=url)
    username = new_username()
    here = await open_window(laptop, url, username, "Create account")
    note = await (await laptop.request.post("/api/notes", data={"title": "Story", "body": body})).json()
    there = await open_window(phone, url, username, "Sign in")
    for device in (here, there):
        await device.note("Story").click()
        await expect(device.body).to_contain_text(body.splitlines()[0].removeprefix("# "))
    return here, there, note


async def saved(device: Person, note: dict[str, Any]) -> str:
    return (await (await device.page.request.get(f"/api/notes/{note['id']}")).json())["body"]


async def write_apart(here: Person, there: Person, mine: str, theirs: str) -> None:
    """`there` saves first; `here` receives that only after it has written something else."""
    await here.page.context.set_offline(True)
    await here.body.fill(mine)
    await expect(here.page.get_by_text("Offline").first).to_be_visible()
    await there.body.fill(theirs)
    await expect(there.page.get_by_text("Saved", exact=True)).to_be_visible()
    await here.page.context.set_offline(False)


async def test_what_another_device_writes_lands_without_moving_the_cursor(new_context: NewContext, url: str) -> None:
    here, there, note = await two_devices(new_context, url, LINES)
    await here.body.get_by_text("line 1 of").click()
    for _ in range(79):
        await here.page.keyboard.press("ArrowDown")
    await here.page.keyboard.press("End")
    await here.page.keyboard.type(" and more")
    await expect(here.page.get_by_text("Saved", exact=True)).to_be_visible()
    before = await here.page.evaluate(CURSOR)

    await expect(there.body).to_be_visible()
    await there.body.click()
    await there.page.keyboard.press("Control+Home")
    await there.page.keyboard.type("A beginning\nof three\nlines\n")
    await expect(there.page.get_by_text("Saved", exact=True)).to_be_visible()
    await expect(here.page.get_by_text(" · v3")).to_be_visible()
    after = await here.page.evaluate(CURSOR)
    assert after["line"] == before["line"] == "line 80 of the story and more"
    assert abs(after["top"] - before["top"]) < 2

    await here.page.keyboard.type("!")
    await expect(here.page.get_by_text("Saved", exact=True)).to_be_visible()
    text = await saved(here, note)
    assert text.startswith("A beginning\nof three\nlines\nline 1 of the story\n")
    assert "line 80 of the story and more!\n" in text

    for _ in range(3):
        await here.page.keyboard.press("Control+z")
    await here.page.keyboard.press("Control+s")
    await expect(here.page.get_by_text("Saved", exact=True)).to_be_visible()
    text = await saved(here, note)
    assert text == "A beginning\nof three\nlines\n" + LINES, "one takes back what one wrote oneself, nothing else"


async def test_what_the_assistant_writes_into_the_open_note_is_lit_for_a_moment(
    new_context: NewContext, url: str
) -> None:
    here, there, _ = await two_devices(new_context, url, "- milk\n- eggs")
    await here.body.get_by_text("eggs").click()
    await here.page.evaluate(WATCH_MARKS)
    await there.send("Add butter to the note Story")
    await here.page.wait_for_function("() => window.marked.some((text) => text.includes('butter'))")
    await expect(here.body.get_by_role("mark")).to_have_count(0)
    await expect(here.body).to_be_focused()
    await here.page.keyboard.press("Home")
    await here.page.keyboard.type("six ")
    await expect(there.body).to_contain_text("six")
    assert "butter" in await there.body.inner_text()


async def test_writing_in_different_places_needs_no_decision(new_context: NewContext, url: str) -> None:
    here, there, note = await two_devices(new_context, url, "milk\neggs\nbread\nbutter")
    await write_apart(here, there, "oat milk\neggs\nbread\nbutter, salted", "milk\nsix eggs\nbread\nbutter")
    await expect(here.body).to_contain_text("six eggs")
    await expect(there.body).to_contain_text("oat milk")
    assert await saved(here, note) == "oat milk\nsix eggs\nbread\nbutter, salted"
    await expect(here.page.get_by_role("alert")).to_have_count(0)


async def test_two_texts_for_one_place_are_merged_by_the_person(new_context: NewContext, url: str) -> None:
    here, there, note = await two_devices(new_context, url, "# List\nmilk\neggs")
    await write_apart(here, there, "# List\noat milk\neggs", "# List\nsoy milk\neggs\nbread")
    await here.page.get_by_role("button", name="Merge both").click()
    merged = here.page.get_by_role("textbox", name="Merged text")
    await expect(merged).to_be_focused()
    await here.page.keyboard.type("a false start")
    await here.page.get_by_role("button", name="Back").click()
    await expect(here.body).to_contain_text("oat milk")
    await expect(here.body).not_to_contain_text("false start")
    await here.page.get_by_role("button", name="Merge both").click()
    assert (await merged.inner_text()).removeprefix("# ") == "List\noat milk\nsoy milk\neggs\nbread"
    assert await saved(here, note) == "# List\nsoy milk\neggs\nbread", "nothing is saved before the person says so"
    await merged.get_by_text("oat milk").click()
    await here.page.keyboard.press("End")
    await here.page.keyboard.type(" and")
    await here.page.keyboard.press("Delete")
    await here.page.keyboard.type(" ")
    await here.page.get_by_role("button", name="Save merged text").click()
    await expect(there.body).to_contain_text("oat milk and soy milk")
    assert await saved(here, note) == "# List\noat milk and soy milk\neggs\nbread"
    await expect(here.body).to_contain_text("oat milk and soy milk")


async def test_a_merge_that_is_no_longer_needed_keeps_what_was_written(new_context: NewContext, url: str) -> None:
    here, there, note = await two_devices(new_context, url, "milk\neggs")
    await write_apart(here, there, "oat milk\neggs", "soy milk\neggs")
    await here.page.get_by_role("button", name="Merge both").click()
    await expect(here.page.get_by_role("textbox", name="Merged text")).to_be_focused()
    await here.page.keyboard.press("Control+End")
    await here.page.keyboard.type(" and tea")
    await there.body.fill("milk\neggs")
    await expect(here.page.get_by_role("alert")).to_have_count(0)
    await expect(here.body).to_contain_text("and tea")
    await expect(there.body).to_contain_text("and tea")
    assert await saved(here, note) == "oat milk\neggs and tea"


async def test_one_of_two_texts_may_win(new_context: NewContext, url: str) -> None:
    here, there, note = await two_devices(new_context, url, "milk")
    await write_apart(here, there, "oat milk", "soy milk")
    await here.page.get_by_role("button", name="Take theirs").click()
    await expect(here.body).to_have_text("soy milk")
    await write_apart(here, there, "my milk", "no milk")
    await here.page.get_by_role("button", name="Keep mine").click()
    await expect(there.body).to_have_text("my milk")
    assert await saved(here, note) == "my milk"
