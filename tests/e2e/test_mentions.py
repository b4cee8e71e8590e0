"""The assistant uses the note that is mentioned with @ in a message."""

from playwright.async_api import expect

from tests.e2e.person import NewContext, Person, new_username, open_window


async def test_a_note_is_named_with_an_at(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    for title in ("Plan [old]", "Plan for Rome"):
        created = await context.request.post(f"{url}/api/notes", data={"title": title}, headers={"Origin": url})
        assert created.status == 201
    await expect(here.note("Plan for Rome")).to_be_visible()

    message = here.page.get_by_role("textbox", name="Message")
    await message.focus()
    await here.page.keyboard.type("Add a tent to @pla")
    options = here.page.get_by_role("listbox", name="Notes to mention").get_by_role("option")
    await expect(options).to_have_count(2)
    if await options.first.inner_text() != "Plan [old]":
        await here.page.keyboard.press("ArrowDown")
    await expect(options.filter(has_text="Plan [old]")).to_have_attribute("aria-selected", "true")
    await expect(message).to_have_attribute("aria-activedescendant", await _id_of_selected(here))
    await here.page.keyboard.press("Enter")
    await expect(options).to_have_count(0)
    await expect(message).to_have_value("Add a tent to @Plan [old] ")
    await here.page.reload()
    await expect(message).to_have_value("Add a tent to @Plan [old] ")
    await message.press("Enter")
    await expect(here.conversation.get_by_role("link", name="Plan [old]").first).to_be_visible()
    await here.answered()

    bodies = {title: await _body(here, url, title) for title in ("Plan [old]", "Plan for Rome")}
    assert bodies == {"Plan [old]": "a tent", "Plan for Rome": ""}
    await expect(here.page.get_by_role("heading", name="Add a tent to Plan [old]")).to_be_visible()

    await here.page.get_by_role("button", name="Edit this message").click()
    field = here.page.get_by_role("textbox", name="Edit the message")
    await expect(field).to_have_value("Add a tent to @Plan [old]")
    await field.fill("Read @Plan [old]")
    await field.press("Enter")
    await expect(here.conversation.get_by_text("Read ", exact=True)).to_be_visible()
    await here.answered()
    # what the first message did is taken back before the other one is answered
    await expect(here.conversation.get_by_text("The note “Plan [old]” is empty.")).to_be_visible()


async def test_escape_leaves_the_at_as_it_is(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.ask("Create a note titled Shopping list")
    message = here.page.get_by_role("textbox", name="Message")
    await message.press_sequentially("hello @shop")
    options = here.page.get_by_role("listbox", name="Notes to mention").get_by_role("option")
    await expect(options).to_have_count(1)
    await here.page.keyboard.press("Escape")
    await expect(options).to_have_count(0)
    await here.page.keyboard.press("Enter")
    await expect(here.conversation.get_by_text("hello @shop", exact=True)).to_be_visible()


async def _id_of_selected(here: Person) -> str:
    return await here.page.get_by_role("option", selected=True).get_attribute("id") or ""


async def _body(here: Person, url: str, title: str) -> str:
    listed = await (await here.page.context.request.get(f"{url}/api/notes")).json()
    (found,) = [note["id"] for note in listed["notes"] if note["title"] == title]
    return (await (await here.page.context.request.get(f"{url}/api/notes/{found}")).json())["body"]
