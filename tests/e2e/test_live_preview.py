"""Live preview: Markdown's marks are shown in the caret's line only, and what they mean elsewhere."""

from playwright.async_api import expect

from tests.e2e.person import NewContext, new_username, open_window
from tests.e2e.test_note_tools import written
from tests.e2e.test_phone import PHONE

NOTE = """# Trip

Take the **night train** and see [[Packing]].

- [ ] tickets
- [x] hotel

> quoted *words*
"""
SELECTED = "document.getSelection().toString()"


async def test_marks_are_shown_in_the_line_of_the_caret(new_context: NewContext, url: str) -> None:
    here = await open_window(await new_context(), url, new_username(), "Create account")
    keys = here.page.keyboard
    await written(here, url, "Trip", NOTE)
    line = here.page.locator(".cm-line")
    await expect(line.nth(0)).to_have_text("Trip")
    await expect(line.nth(2)).to_have_text("Take the night train and see Packing.")
    await expect(line.nth(7)).to_have_text("quoted words")
    await line.nth(2).click()
    await expect(line.nth(2)).to_have_text("Take the **night train** and see [[Packing]].")
    await expect(line.nth(2).locator(".cm-faint").first).to_have_css("opacity", "0.4")
    await keys.press("Control+Home")
    await expect(line.nth(0)).to_have_text("# Trip")
    await expect(line.nth(2)).to_have_text("Take the night train and see Packing.")
    # the caret goes through every character, marks included
    for _ in range(len("# Trip") + 2):
        await keys.press("ArrowRight")
    await keys.type("x")
    await expect(line.nth(2)).to_have_text("xTake the **night train** and see [[Packing]].")
    await keys.press("Control+z")
    # what is copied is the source
    await keys.press("Control+a")
    copied = await here.page.evaluate(
        """() => {
          const data = new DataTransfer();
          document.querySelector('[aria-label="Body"]').dispatchEvent(
            new ClipboardEvent("copy", { clipboardData: data, bubbles: true, cancelable: true }));
          return data.getData("text/plain");
        }"""
    )
    assert copied == NOTE


async def test_what_is_selected_with_the_mouse_stays_under_the_pointer(new_context: NewContext, url: str) -> None:
    here = await open_window(await new_context(), url, new_username(), "Create account")
    page = here.page
    await written(here, url, "Trip", NOTE)
    line = page.locator(".cm-line").nth(2)
    await expect(line).to_have_text("Take the night train and see Packing.")
    word = await line.get_by_text("night train").bounding_box()
    assert word
    middle = word["y"] + word["height"] / 2
    await page.mouse.move(word["x"] + 1, middle)
    await page.mouse.down()
    await expect(here.body).to_be_focused()
    await page.mouse.move(word["x"] + word["width"] - 1, middle, steps=4)
    await expect(line).to_have_text("Take the night train and see Packing.")
    await page.mouse.up()
    await expect(line).to_contain_text("**night train**")
    assert await page.evaluate(SELECTED) == "night train"


async def test_a_task_is_ticked_where_it_stands_and_can_be_undone(new_context: NewContext, url: str) -> None:
    here = await open_window(await new_context(), url, new_username(), "Create account")
    page = here.page
    await written(here, url, "Trip", NOTE)
    boxes = here.body.get_by_role("checkbox")
    await expect(boxes).to_have_count(2)
    await boxes.first.click()
    await expect(boxes.first).to_be_checked()
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await page.reload()
    await expect(boxes.first).to_be_checked()
    await boxes.first.click()
    await expect(boxes.first).not_to_be_checked()
    await here.body.focus()
    await page.keyboard.press("Control+z")
    await expect(boxes.first).to_be_checked()


async def test_a_tap_follows_a_link(new_context: NewContext, url: str) -> None:
    context = await new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    here = await open_window(context, url, new_username(), "Create account")
    assert (await here.page.request.post(f"{url.rstrip('/')}/api/notes", data={"title": "Packing"})).ok
    answer = await here.page.request.post(f"{url.rstrip('/')}/api/notes", data={"title": "Trip", "body": NOTE})
    assert answer.ok
    await here.note("Trip").tap()
    title = here.page.get_by_role("textbox", name="Title")
    await expect(title).to_have_value("Trip")
    await here.body.get_by_text("Packing").tap()
    await expect(title).to_have_value("Packing")


async def test_a_formatting_bar_stands_over_the_keyboard(new_context: NewContext, url: str) -> None:
    context = await new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    await written(here, url, "Trip", "first")
    bar = page.get_by_role("toolbar", name="Formatting")
    await expect(bar).to_have_count(0)
    await here.body.tap()
    await expect(bar).to_be_in_viewport(ratio=1)
    await bar.get_by_role("button", name="Task").tap()
    await expect(here.body.get_by_role("checkbox")).to_have_count(1)
    await expect(here.body).to_be_focused()
    await page.keyboard.press("End")
    await bar.get_by_role("button", name="Bold").tap()
    await expect(here.body).to_contain_text("**first**")
    for _ in range(2):
        await bar.get_by_role("button", name="Undo").tap()
    await expect(here.body).to_have_text("first")
    await expect(here.body).to_be_focused()
    await page.get_by_role("textbox", name="Title").tap()
    await expect(bar).to_have_count(0)


async def test_undo_survives_going_to_another_note(new_context: NewContext, url: str) -> None:
    here = await open_window(await new_context(), url, new_username(), "Create account")
    page = here.page
    await written(here, url, "Other", "other words")
    await written(here, url, "Trip", "first")
    await here.body.click()
    await page.keyboard.press("Control+End")
    await page.keyboard.type(" second")
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await here.note("Other").click()
    await expect(here.body).to_have_text("other words")
    await here.note("Trip").click()
    await expect(here.body).to_have_text("first second")
    await here.body.click()
    await page.keyboard.press("Control+z")
    await expect(here.body).to_have_text("first")
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()


async def test_nothing_jumps_while_the_caret_moves_by_keys(new_context: NewContext, url: str) -> None:
    here = await open_window(await new_context(), url, new_username(), "Create account")
    page = here.page
    await written(here, url, "Trip", NOTE * 3)
    await here.body.click()
    await page.keyboard.press("Control+Home")
    line = page.locator(".cm-line").nth(8)
    before = await line.bounding_box()
    for _ in range(7):
        await page.keyboard.press("ArrowDown")
    assert await line.bounding_box() == before
