"""Following a long answer: the view stays at its end or where the user reads; screen readers get only the result."""

from playwright.async_api import Page, expect

from standalone.system import System
from tests.e2e.person import NewContext, new_username, open_window
from tests.model_server import ModelServer, OpenAnswer

STORY = "Tell me a story about a lighthouse"
HEAR = """() => {
  window.announced = [];
  const region = [...document.querySelectorAll('section[aria-label="Assistant"] [role="status"]')].at(-1);
  new MutationObserver(() => window.announced.push(region.textContent))
    .observe(region, { childList: true, characterData: true, subtree: true });
}"""
# Checked as painted: an answer may have grown since the last frame, and the page scrolls before the next one. A resize
# observer created later runs after the page's own, in the same frame.
AT_END = """(log) => new Promise((resolve) => {
  const observer = new ResizeObserver(() => {
    observer.disconnect();
    resolve(log.scrollHeight - log.scrollTop - log.clientHeight < 4);
  });
  observer.observe(log);
})"""
GAP = """() => document.querySelector('article[aria-label="Answer"]').getBoundingClientRect().top
  - document.querySelector(".question").getBoundingClientRect().top"""
GROWN = "([log, height]) => log.scrollHeight > height + 200"


async def test_what_one_reads_stays_where_it_is(
    new_context: NewContext, scripted_system: System, model: ModelServer
) -> None:
    model.default = OpenAnswer()
    context = await new_context(viewport={"width": 1200, "height": 600})
    here = await open_window(context, scripted_system.url, new_username(), "Create account")
    page, log = here.page, here.conversation
    latest = page.get_by_role("button", name="Latest")
    await here.send(STORY)
    await _grown(page)
    assert await log.evaluate(AT_END)
    await expect(latest).to_have_count(0)

    await log.hover()
    await page.mouse.wheel(0, -150)
    await expect(latest).to_be_visible()
    place = await log.evaluate("(log) => log.scrollTop")
    await _grown(page)
    assert await log.evaluate("(log) => log.scrollTop") == place

    await latest.click()
    await expect(latest).to_have_count(0)
    await _grown(page)
    assert await log.evaluate(AT_END)
    await page.get_by_role("button", name="Stop").click()
    await here.answered()
    assert await log.evaluate(AT_END)


async def test_nothing_moves_when_an_answer_ends(
    new_context: NewContext, scripted_system: System, model: ModelServer
) -> None:
    model.default = OpenAnswer()
    context = await new_context()
    here = await open_window(context, scripted_system.url, new_username(), "Create account")
    await here.send(STORY)
    await expect(here.conversation.locator(".prose")).not_to_be_empty()
    before = await here.page.evaluate(GAP)
    await here.page.get_by_role("button", name="Stop").click()
    await here.answered()
    await here.conversation.hover()
    await expect(here.conversation.get_by_role("button", name="Edit this message")).to_be_enabled()
    assert await here.page.evaluate(GAP) == before


async def test_an_answer_is_announced_as_a_whole(new_context: NewContext, url: str) -> None:
    context = await new_context()
    here = await open_window(context, url, new_username(), "Create account")
    await here.page.evaluate(HEAR)
    await here.ask("Tell me a long story")
    await here.page.wait_for_function("() => window.announced.at(-1)?.startsWith('The assistant: ')")
    announced = await here.page.evaluate("() => [...new Set(window.announced)]")
    assert [text for text in announced if text][:-1] == ["The assistant is answering."]

    await here.ask("Create a note titled Alpha")
    await here.send("Delete Alpha")
    await here.page.wait_for_function("() => window.announced.at(-1) === 'Waiting for you: Delete “Alpha”?'")


async def _grown(page: Page) -> None:
    """Waits until the answer has grown by some lines."""
    log = await page.get_by_role("log", name="Conversation").element_handle()
    assert log is not None
    await page.wait_for_function(GROWN, arg=[log, await log.evaluate("(log) => log.scrollHeight")])
