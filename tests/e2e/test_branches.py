"""Edited messages and regenerated answers are branches: the old ones can still be shown."""

from playwright.async_api import expect

from tests.e2e.person import NewContext, new_username, open_window


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
