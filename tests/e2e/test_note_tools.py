"""What a note can do beside being written: finding words in it, pasting into it, printing it."""

import re

from playwright.async_api import Page, expect

from tests.e2e.person import NewContext, Person, new_username, open_window

PARAGRAPHS = 400
PASTE = """([html, plain]) => {
  const data = new DataTransfer();
  if (html) data.setData("text/html", html);
  data.setData("text/plain", plain);
  const target = document.querySelector('[aria-label="Body"]');
  target.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
}"""


async def written(person: Person, url: str, title: str, body: str) -> None:
    """Creates a note through the API and opens it."""
    answer = await person.page.request.post(f"{url.rstrip('/')}/api/notes", data={"title": title, "body": body})
    assert answer.status == 201, await answer.text()
    await person.note(title).click()
    await expect(person.page.get_by_role("textbox", name="Title")).to_have_value(title)


async def test_words_are_found_and_replaced_in_a_long_note(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    lines = [f"line {number}" for number in range(PARAGRAPHS)]
    lines[350] = "the blue heron (one)"
    lines[370] = "the Blue heron (two)"
    await written(here, url, "Birds", "\n\n".join(lines))
    await here.body.click()
    await here.page.keyboard.press("Control+f")
    panel = here.page.get_by_role("search", name="Find in this note")
    await panel.get_by_role("textbox", name="Find in this note").fill("blue heron")
    await expect(panel.get_by_text("1 of 2", exact=True)).to_be_visible()
    await expect(here.body.get_by_text("heron (one)")).to_be_in_viewport()
    await here.page.keyboard.press("Enter")
    await expect(panel.get_by_text("2 of 2", exact=True)).to_be_visible()
    await panel.get_by_role("textbox", name="Replace with").fill("grey stork")
    await panel.get_by_role("button", name="Replace all").click()
    await expect(here.body.get_by_text("the grey stork (two)")).to_be_visible()
    await expect(panel.get_by_text("Not found", exact=True)).to_be_visible()
    await here.page.keyboard.press("Escape")
    await expect(panel).to_have_count(0)
    await expect(here.body).to_be_focused()


async def test_a_search_result_opens_at_the_words_found(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await written(here, url, "Long", "\n\n".join([*["filler"] * PARAGRAPHS, "a hidden lighthouse", *["more"] * 50]))
    await here.page.get_by_role("button", name="New note").first.click()
    await here.page.get_by_role("searchbox", name="Search notes").fill("lighthouse")
    await expect(here.notes.locator("mark")).to_have_text("lighthouse")
    await here.note("Long").click()
    found = here.body.locator("mark", has_text="lighthouse")
    await expect(found).to_be_in_viewport()
    await here.body.press("x")
    await expect(found).to_have_count(0)


async def test_rich_text_and_addresses_are_pasted_as_markdown(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await written(here, url, "Paste", "")
    await here.body.click()
    await here.page.evaluate(
        PASTE, ["<h2>Plan</h2><ul><li>one <b>two</b></li></ul><script>boo()</script>", "Plan one two"]
    )
    await expect(here.body).to_contain_text("- one **two**")
    await here.body.press("Control+Home")
    await expect(here.body).to_contain_text("## Plan")
    await expect(here.body).not_to_contain_text("boo")
    await here.body.press("Control+a")
    await here.page.keyboard.type("the site")
    await here.body.press("Control+a")
    await here.page.evaluate(PASTE, ["", "https://example.org/a"])
    await expect(here.body).to_have_text("[the site](https://example.org/a)")
    await here.body.press("Control+a")
    await here.page.evaluate(PASTE, ["", "two\nplain lines"])
    await expect(here.body).to_have_text("two\nplain lines", use_inner_text=True)


async def choose_print(page: Page, menu: str) -> None:
    """Without the browser's dialog, which nobody would close."""
    await page.evaluate("window.print = () => { window.printed = true }")
    await page.get_by_role("button", name=menu).click()
    await page.get_by_role("menuitem", name="Print or save as PDF").click()
    await page.wait_for_function("window.printed")


async def pages(page: Page) -> int:
    """How many sheets the page is printed on."""
    return len(re.findall(rb"/Type\s*/Page\b", await page.pdf()))


async def test_a_note_is_printed_whole_and_alone(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    lines = [f"paragraph {number}" for number in range(PARAGRAPHS)]
    await written(here, url, "Report", "# Beginning\n\n" + "\n\n".join(lines))
    await choose_print(page, "Note actions")
    await page.emulate_media(media="print")
    await expect(page.get_by_role("heading", name="Beginning")).to_be_visible()
    await expect(page.get_by_text("paragraph 399", exact=True)).to_be_visible()
    await expect(page.get_by_role("button")).to_have_count(0)
    await expect(page.get_by_role("list", name="Notes", exact=True)).to_be_hidden()
    await page.emulate_media(media="null")
    assert await pages(page) >= 8
    await expect(here.body).to_be_visible()  # once it is printed, the note can be written again
    # the browser's own Ctrl-P, while the note is written
    assert await pages(page) >= 8


async def test_a_conversation_is_printed_whole_and_alone(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    await here.ask("Tell me a story of 900 words")
    await choose_print(page, "Conversation menu")
    await page.emulate_media(media="print")
    await expect(here.conversation.get_by_text("Tell me a story of 900 words", exact=True)).to_be_visible()
    await expect(page.get_by_role("textbox", name="Message")).to_be_hidden()
    await expect(page.get_by_role("region", name="Note", exact=True)).to_be_hidden()
    await page.emulate_media(media="null")
    assert await pages(page) >= 2


async def test_an_archived_note_says_so_and_comes_out(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await written(here, url, "Old plan", "words")
    await here.page.get_by_role("button", name="Note actions").click()
    await here.page.get_by_role("menuitem", name="Archive").click()
    notice = here.page.get_by_text("This note is in the archive.")
    await expect(notice).to_be_visible()
    await here.page.get_by_role("button", name="Take it out").click()
    await expect(notice).to_have_count(0)
    await expect(here.note("Old plan")).to_have_count(1)


async def test_what_is_said_of_a_note_in_the_trash_ends_with_its_return(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await written(here, url, "Plan", "words")
    await here.page.get_by_role("button", name="Note actions").click()
    await here.page.get_by_role("menuitem", name="Delete").click()
    gone = here.page.get_by_text("“Plan” is in the trash.")
    await expect(gone).to_be_visible()
    await here.page.get_by_role("button", name="Undo").click()
    await expect(here.page.get_by_text("“Plan” is out of the trash.")).to_be_visible()
    await expect(gone).to_have_count(0)
    await expect(here.note("Plan")).to_have_count(1)


async def test_instructions_and_edits_are_not_lost_by_escape(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    await page.get_by_role("button", name="Conversation menu").click()
    await page.get_by_role("menuitem", name="Instructions").click()
    field = page.get_by_role("textbox", name="Instructions for this conversation")
    await field.fill("Answer in one word.")
    await field.press("Escape")
    await expect(page.get_by_text("What you wrote is not saved yet.")).to_be_visible()
    await expect(field).to_have_value("Answer in one word.")
    await page.get_by_role("button", name="Discard it").click()
    await expect(field).to_have_count(0)

    await here.ask("Tell me a story of 50 words")
    await here.conversation.get_by_role("button", name="Edit this message").click()
    edited = here.conversation.get_by_role("textbox", name="Edit the message")
    await edited.fill("Tell me a story of 60 words")
    await edited.press("Escape")
    await here.conversation.get_by_role("button", name="Edit this message").click()
    await expect(edited).to_have_value("Tell me a story of 60 words")
