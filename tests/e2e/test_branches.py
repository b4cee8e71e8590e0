"""Edited messages and regenerated answers are branches: the old ones can still be shown."""

from playwright.async_api import Route, expect

from tests.e2e.person import NewContext, Person, new_username, open_window


async def test_an_edited_message_and_another_answer_keep_the_old_ones(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    talk = here.conversation
    await here.ask("Create a note titled Diary with a secret")
    await talk.get_by_role("button", name="Edit this message").click()
    field = talk.get_by_role("textbox", name="Edit the message")
    await field.fill("Create a note titled Journal with a secret")
    await field.press("Enter")
    await expect(here.note("Journal")).to_have_count(1)
    await here.answered()
    await expect(talk.get_by_text("2 / 2", exact=True)).to_be_visible()
    await expect(talk.get_by_text("Create a note titled Diary with a secret", exact=True)).to_have_count(0)

    await here.page.get_by_role("textbox", name="Message").press("ArrowUp")
    await expect(field).to_have_value("Create a note titled Journal with a secret")
    await field.press("Escape")
    await expect(field).to_have_count(0)

    await talk.get_by_role("button", name="Earlier message").click()
    await expect(talk.get_by_text("Create a note titled Diary with a secret", exact=True)).to_be_visible()
    await expect(talk.get_by_text("1 / 2", exact=True)).to_be_visible()

    await talk.get_by_role("button", name="Answer again").click()
    answers = talk.get_by_role("group", name="Versions of this answer")
    await expect(answers.get_by_text("2 / 2", exact=True)).to_be_visible()
    await here.page.reload()
    await expect(answers.get_by_text("2 / 2", exact=True)).to_be_visible()
    await answers.get_by_role("button", name="Earlier answer").click()
    await expect(answers.get_by_text("1 / 2", exact=True)).to_be_visible()


async def test_another_answer_takes_back_what_the_first_one_changed(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    talk, page = here.conversation, here.page
    await here.ask("Create a note titled Groceries with milk and eggs")
    await here.note("Groceries").click()
    await here.ask("Change milk to oat milk in Groceries")
    await expect(here.body).to_contain_text("oat milk")
    await expect(talk.get_by_role("button", name="Answer again")).to_have_count(2)
    await talk.get_by_role("button", name="Answer again").last.click()
    await expect(page.get_by_text("Took back what the earlier answer changed: “Groceries”.")).to_be_visible()
    await expect(
        talk.get_by_role("group", name="Versions of this answer").get_by_text("2 / 2", exact=True)
    ).to_be_visible()
    await here.answered()
    await expect(here.body).to_have_text("- oat milk\n- eggs", use_inner_text=True)
    # from the answer before: both of its successors are taken back, and no second note is left
    await talk.get_by_role("button", name="Answer again").first.click()
    await expect(talk.get_by_text("2 / 2", exact=True)).to_be_visible()
    await here.answered()
    await expect(here.notes.get_by_role("listitem")).to_have_count(1)


async def test_what_the_person_wrote_since_is_not_taken_back_unasked(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    talk, page = here.conversation, here.page
    await here.ask("Create a note titled Groceries with milk")
    await here.note("Groceries").click()
    await here.body.press("Control+End")
    await page.keyboard.type(" and honey")
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await expect(page.get_by_text("by you · v2")).to_be_visible()
    await talk.get_by_role("button", name="Answer again").click()
    dialog = page.get_by_role("dialog", name="Changed since")
    await expect(dialog.get_by_text("This note has been changed since.")).to_be_visible()
    await dialog.get_by_role("button", name="Keep the earlier answer").click()
    await expect(dialog).to_have_count(0)
    await expect(talk.get_by_role("group", name="Versions of this answer")).to_have_count(0)
    await talk.get_by_role("button", name="Answer again").click()
    await dialog.get_by_role("button", name="Leave it as it is, and go on").click()
    await expect(talk.get_by_text("2 / 2", exact=True)).to_be_visible()
    await expect(here.body).to_have_text("- milk and honey", use_inner_text=True)


async def test_a_message_is_not_filed_under_a_branch_that_its_sender_does_not_see(
    new_context: NewContext, url: str
) -> None:
    context, username = await new_context(), new_username()
    here = await open_window(context, url, username, "Create account")
    await here.ask("Tell me a story of 50 words about ink")
    other = Person(await (await new_context(storage_state=await context.storage_state())).new_page())
    await other.page.goto(here.page.url)
    question = "Tell me a story of 50 words about ink"
    await expect(other.conversation.get_by_text(question, exact=True)).to_be_visible()
    await here.page.context.set_offline(True)  # does not hear what the other window does
    await other.conversation.get_by_role("button", name="Edit this message").click()
    field = other.conversation.get_by_role("textbox", name="Edit the message")
    await field.fill("Tell me a story of 50 words about paper")
    await field.press("Enter")
    await expect(other.conversation.get_by_text("2 / 2", exact=True)).to_be_visible()
    await other.answered()

    # a request that is made before the page has heard of anything
    await here.page.route("**/api/conversations/*", lambda route: route.abort())
    await here.page.context.set_offline(False)
    await here.page.get_by_role("textbox", name="Message").fill("What notes do I have?")
    await here.page.get_by_role("button", name="Send", exact=True).click()
    await expect(here.page.get_by_text("another window has gone on here")).to_be_visible()
    await here.page.unroute("**/api/conversations/*")
    await expect(here.conversation.get_by_text("Not sent")).to_be_visible()
    await here.page.reload()
    await expect(here.conversation.get_by_text("Tell me a story of 50 words about paper", exact=True)).to_be_visible()
    await here.conversation.get_by_role("button", name="Send again").click()
    await expect(here.conversation.get_by_text("You have no notes yet.")).to_be_visible()


async def test_a_refused_message_stays_below_the_branch_that_another_window_shows(
    new_context: NewContext, url: str
) -> None:
    first, second = await new_context(), await new_context()
    username = new_username()
    here = await open_window(first, url, username, "Create account")
    await here.ask("Create a note titled Diary with a secret")
    await _edit_the_only_message(here, "Create a note titled Journal with a secret")
    there = await open_window(second, here.page.url, username, "Sign in")
    journal = there.conversation.get_by_text("Create a note titled Journal with a secret", exact=True)
    await expect(journal).to_be_visible()
    # when its WebSocket opens it loads the conversation again, which may be after the switch: it sees what it saw
    conversation, seen = "**/api/conversations/*", []

    async def as_seen(route: Route) -> None:
        if not seen:
            seen.append(await (await route.fetch()).text())
        await route.fulfill(body=seen[0], content_type="application/json")

    await there.page.route(conversation, as_seen)
    await there.page.reload()
    await expect(journal).to_be_visible()

    await here.conversation.get_by_role("button", name="Earlier message").click()
    diary = "Create a note titled Diary with a secret"
    await expect(here.conversation.get_by_text(diary, exact=True)).to_be_visible()
    await there.page.unroute(conversation)
    await expect(journal).to_be_visible()  # switching moves no other window
    await there.send("Which notes do I have?")
    await expect(there.page.get_by_text("another window has gone on here")).to_be_visible()
    await expect(there.conversation.get_by_text(diary, exact=True)).to_be_visible()
    await expect(journal).to_have_count(0)
    await expect(there.conversation.get_by_text("Which notes do I have?", exact=True)).to_be_visible()
    await expect(here.conversation.get_by_text("Which notes do I have?", exact=True)).to_have_count(0)

    await there.conversation.get_by_role("button", name="Send again").click()
    await expect(there.conversation.get_by_role("button", name="Send again")).to_have_count(0)
    await there.answered()
    await expect(here.conversation.get_by_text("Which notes do I have?", exact=True)).to_be_visible()
    await here.answered()
    for window in (here, there):
        await window.page.reload()
        await expect(window.conversation.get_by_text(diary, exact=True)).to_be_visible()
        await expect(window.conversation.get_by_text("Which notes do I have?", exact=True)).to_have_count(1)


async def test_an_unsent_message_is_sent_later_after_what_is_shown_then(new_context: NewContext, url: str) -> None:
    first, second = await new_context(), await new_context()
    username = new_username()
    here = await open_window(first, url, username, "Create account")
    await here.ask("Create a note titled Diary with a secret")
    there = await open_window(second, here.page.url, username, "Sign in")
    await expect(there.conversation.get_by_text("Create a note titled Diary with a secret", exact=True)).to_be_visible()
    await second.set_offline(True)
    await there.send("Which notes do I have?")
    again = there.conversation.get_by_role("button", name="Send again")
    await expect(again).to_be_visible()
    await _edit_the_only_message(here, "Create a note titled Journal with a secret")

    await second.set_offline(False)
    question = "Which notes do I have?"
    journal = there.conversation.get_by_text("Create a note titled Journal with a secret", exact=True)
    await expect(journal).to_be_visible()
    await expect(there.conversation.get_by_text(question, exact=True)).to_be_visible()
    await again.click()
    await expect(again).to_have_count(0)
    await there.answered()
    await there.page.reload()
    await expect(journal).to_be_visible()
    await expect(there.conversation.get_by_text(question, exact=True)).to_have_count(1)
    await expect(here.conversation.get_by_text(question, exact=True)).to_have_count(1)


async def _edit_the_only_message(window: Person, text: str) -> None:
    await window.conversation.get_by_role("button", name="Edit this message").click()
    field = window.conversation.get_by_role("textbox", name="Edit the message")
    await field.fill(text)
    await field.press("Enter")
    await expect(window.conversation.get_by_text("2 / 2", exact=True)).to_be_visible()
    await window.answered()
