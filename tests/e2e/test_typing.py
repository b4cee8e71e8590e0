"""Typing a message: input methods, phones, what could not be sent, and where a conversation stands after a reload."""

from playwright.async_api import Page, Route, expect

from standalone.system import System
from tests.e2e.person import NewContext, new_username, open_window
from tests.e2e.test_following import AT_END
from tests.e2e.test_phone import PHONE
from tests.model_server import ModelServer, Text

TALL = "```text\n" + "\n".join(f"line {number}" for number in range(400)) + "\n```\n"


async def _composing_enter(page: Page, name: str, **marks: object) -> None:
    """Enter as an input method sends it: marked as composing, or in Safari only by its key code."""
    await page.get_by_role("textbox", name=name).evaluate(
        """(field, marks) => field.dispatchEvent(
          new KeyboardEvent("keydown", { key: "Enter", bubbles: true, cancelable: true, ...marks }))""",
        marks,
    )


async def test_enter_of_an_input_method_sends_nothing(new_context: NewContext, url: str) -> None:
    here = await open_window(await new_context(), url, new_username(), "Create account")
    message = here.page.get_by_role("textbox", name="Message")
    await message.fill("にほんご")
    await _composing_enter(here.page, "Message", isComposing=True)
    await _composing_enter(here.page, "Message", keyCode=229)
    await expect(message).to_have_value("にほんご")
    await message.press("Enter")
    await expect(message).to_have_value("")
    await expect(here.conversation.get_by_text("にほんご", exact=True)).to_have_count(1)
    await here.answered()


async def test_enter_breaks_the_line_on_a_phone(new_context: NewContext, url: str) -> None:
    context = await new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    here = await open_window(context, url, new_username(), "Create account")
    await here.page.get_by_role("navigation", name="Panes").get_by_role("button", name="Assistant").tap()
    message = here.page.get_by_role("textbox", name="Message")
    await message.tap()
    await here.page.keyboard.type("one")
    await here.page.keyboard.press("Enter")
    await here.page.keyboard.type("two")
    await expect(message).to_have_value("one\ntwo")
    await here.page.get_by_role("button", name="Send", exact=True).tap()
    await here.answered()


async def test_a_message_that_was_refused_stays_and_is_sent_again(new_context: NewContext, url: str) -> None:
    here = await open_window(await new_context(), url, new_username(), "Create account")
    page = here.page

    async def refuse(route: Route) -> None:
        await route.fulfill(status=422, json={"code": "validation_failed", "detail": "Not now."})

    await page.route("**/api/runs", refuse)
    await here.send("The first message")
    await expect(here.conversation.get_by_text("Not sent")).to_be_visible()
    await page.get_by_role("textbox", name="Message").fill("typed meanwhile")
    await page.reload()
    await expect(here.conversation.get_by_text("The first message", exact=True)).to_be_visible()
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("typed meanwhile")
    await page.unroute("**/api/runs")
    await page.get_by_role("button", name="Send again").click()
    await here.answered()
    await expect(here.conversation.get_by_text("Not sent")).to_have_count(0)
    await expect(here.conversation.get_by_text("The first message", exact=True)).to_have_count(1)
    await expect(page.get_by_role("textbox", name="Message")).to_have_value("typed meanwhile")


async def test_a_conversation_stands_at_its_end_after_a_reload(
    new_context: NewContext, scripted_system: System, model: ModelServer
) -> None:
    context = await new_context(viewport={"width": 1200, "height": 600})
    here = await open_window(context, scripted_system.url, new_username(), "Create account")
    answers = {"Show me tall code": TALL, "Show me a tall paragraph": "Many words in one tall paragraph. " * 800}
    for message, text in answers.items():
        model.default = Text(text)
        await here.ask(message)
        await here.page.reload()
        await expect(here.conversation.locator(".prose .block").last).to_be_attached()
        await here.page.wait_for_function(
            """() => {
              const log = document.querySelector('[role="log"][aria-label="Conversation"]');
              return log.scrollHeight > 2000 && log.scrollHeight - log.scrollTop - log.clientHeight < 4;
            }"""
        )
        assert await here.conversation.evaluate(AT_END)
