"""A conversation of hundreds of messages: read from its end, and sent to the model as far as it fits."""

import asyncio
from collections.abc import AsyncGenerator

import pytest
from playwright.async_api import Locator, Page, Route, expect

from standalone.system import System, running
from tests.conftest import DEMO
from tests.e2e.person import NewContext, Person, new_username, open_window
from tests.long_conversation import store_conversation
from tests.model_server import ModelServer, OpenAnswer, Request, Status, Text
from tests.model_server.steps import Step

SUMMARY = "Ada sails. The boat is called **Kumquat**."
REMARK = "a fairly long remark about boats, weather and bread. " * 12


def answering(request: Request) -> Step:
    """A model that writes a summary if it is asked for one."""
    return Text("Understood." if "tools" in request.json else SUMMARY)


@pytest.fixture(scope="module")
async def small_model() -> AsyncGenerator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture(scope="module")
async def small_system(small_model: ModelServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[System]:
    """A system whose model has a small context window."""
    environment = DEMO | {
        "OPENAI_BASE_URL": small_model.base_url,
        "INKSTREAM_MODEL": "local",
        "INKSTREAM_CONTEXT_WINDOW": "8000",
    }
    async with running(data_dir=tmp_path_factory.mktemp("small"), environment=environment) as started:
        yield started


async def long_conversation(here: Person, system: System, turns: int) -> list[str]:
    """Opens one of so many questions and answers. Returns the ids of its messages."""
    user = (await (await here.page.request.get(f"{system.url}/api/auth/me")).json())["user"]
    conversation_id, messages = await store_conversation(system.postgres.dsn("chat"), user["id"], turns)
    await here.page.goto(f"{system.url}/?chat={conversation_id}")
    await expect(question(here, turns - 1)).to_be_in_viewport()
    return messages


def question(here: Person, number: int) -> Locator:
    return here.conversation.get_by_text(f"Number {number} of ")


async def top(locator: Locator) -> float:
    box = await locator.bounding_box()
    assert box is not None
    return box["y"]


async def scroll_up(page: Page, here: Person) -> None:
    await here.conversation.hover()
    await page.mouse.wheel(0, -20_000)


async def test_it_is_read_from_its_end_and_on_where_the_reader_goes(
    new_context: NewContext, scripted_system: System
) -> None:
    context = await new_context()
    here = await open_window(context, scripted_system.url, new_username(), "Create account")
    await long_conversation(here, scripted_system, 150)
    page = here.page
    await expect(here.conversation.get_by_role("article")).to_have_count(30)
    await expect(question(here, 119)).to_have_count(0)

    for _ in range(100):
        if await question(here, 0).count():
            break
        shown = here.conversation.get_by_role("article")
        count = await shown.count()
        await scroll_up(page, here)
        await expect(shown).not_to_have_count(count)
    await expect(here.conversation.get_by_role("article")).to_have_count(150)
    await expect(page.get_by_role("button", name="Earlier messages")).to_have_count(0)

    await page.get_by_role("button", name="Latest").click()
    await expect(question(here, 149)).to_be_in_viewport()
    await here.ask("And now?")
    await expect(here.conversation.get_by_role("article")).to_have_count(151)


async def test_the_place_is_kept_when_earlier_messages_come(new_context: NewContext, scripted_system: System) -> None:
    context = await new_context()
    here = await open_window(context, scripted_system.url, new_username(), "Create account")
    await long_conversation(here, scripted_system, 100)
    may_come = asyncio.Event()

    async def hold(route: Route) -> None:
        await may_come.wait()
        await route.continue_()

    await here.page.route("**/api/conversations/*before=*", hold)
    await scroll_up(here.page, here)
    first = question(here, 70)
    await expect(first).to_be_in_viewport()
    await expect(here.page.get_by_role("button", name="Loading…")).to_be_visible()
    before = await top(first)
    may_come.set()
    await expect(question(here, 40)).to_have_count(1)
    assert abs(await top(first) - before) < 4


async def test_earlier_messages_that_do_not_come_can_be_asked_for_again(
    new_context: NewContext, scripted_system: System
) -> None:
    context = await new_context()
    here = await open_window(context, scripted_system.url, new_username(), "Create account")
    await long_conversation(here, scripted_system, 60)
    await here.page.route("**/api/conversations/*before=*", lambda route: route.abort())
    await here.page.get_by_role("button", name="Earlier messages").click()
    await expect(here.conversation.get_by_role("alert")).to_be_visible()
    await here.page.unroute("**/api/conversations/*before=*")
    await here.conversation.get_by_role("button", name="Try again").click()
    await expect(question(here, 0)).to_have_count(1)


async def test_all_of_it_is_copied_and_printed(new_context: NewContext, scripted_system: System) -> None:
    context = await new_context(permissions=["clipboard-read", "clipboard-write"])
    here = await open_window(context, scripted_system.url, new_username(), "Create account")
    await long_conversation(here, scripted_system, 100)
    page = here.page
    await page.get_by_role("button", name="Conversation menu").click()
    await page.get_by_role("menuitem", name="Copy as Markdown").click()
    await expect(page.get_by_text("Copied as Markdown.")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert [f"Number {number} of 100" in copied for number in range(100)] == [True] * 100
    assert copied.index("Number 0 of") < copied.index("Number 99 of")
    await expect(here.conversation.get_by_role("article")).to_have_count(30)

    await page.evaluate("window.print = () => (window.printed = document.querySelectorAll('article').length)")
    await page.get_by_role("button", name="Conversation menu").click()
    await page.get_by_role("menuitem", name="Print or save as PDF").click()
    await page.wait_for_function("() => window.printed === 100")


async def test_another_branch_is_shown_where_the_reader_is(
    new_context: NewContext, scripted_system: System, model: ModelServer
) -> None:
    model.default = Text("Understood.")
    context = await new_context()
    here = await open_window(context, scripted_system.url, new_username(), "Create account")
    messages = await long_conversation(here, scripted_system, 100)
    page = here.page
    conversation = page.url.split("chat=")[1].split("&")[0]
    edited = await page.request.post(
        f"{scripted_system.url}/api/conversations/{conversation}/messages/{messages[10]}/edit",
        data={"message": "Number five, anew"},
        headers={"origin": scripted_system.url},
    )
    assert edited.ok, await edited.text()
    anew = here.conversation.get_by_text("Number five, anew")
    await expect(anew).to_be_visible()
    await here.answered()
    await page.reload()
    await expect(anew).to_be_visible()
    await here.conversation.get_by_role("button", name="Earlier message", exact=True).click()
    await expect(question(here, 5)).to_have_count(1)
    await expect(here.conversation.get_by_role("article")).to_have_count(100)
    await expect(here.conversation.get_by_text("1 / 2", exact=True)).to_have_count(1)


async def test_a_reload_in_the_middle_of_an_answer_and_another_tab(
    new_context: NewContext, scripted_system: System, model: ModelServer
) -> None:
    answer = OpenAnswer()
    model.default = answer
    context = await new_context()
    here = await open_window(context, scripted_system.url, new_username(), "Create account")
    await long_conversation(here, scripted_system, 60)
    await here.send("Tell me more")
    await here.sees_word(3)
    other = Person(await context.new_page())
    await other.page.goto(here.page.url)
    await other.sees_word(3)
    await here.page.reload()
    await here.sees_word(3)
    await here.page.get_by_role("button", name="Earlier messages").click()
    await expect(question(here, 5)).to_have_count(1)
    answer.finish()
    for window in (here, other):
        await window.answered()
    await expect(question(here, 5)).to_have_count(1)


async def test_what_no_longer_fits_is_shown_as_a_summary_that_can_be_edited(
    new_context: NewContext, small_system: System, small_model: ModelServer
) -> None:
    small_model.default = answering
    context = await new_context()
    here = await open_window(context, small_system.url, new_username(), "Create account")
    page = here.page
    fold = here.conversation.get_by_role("button", name="Earlier: Ada sails. The boat is called Kumquat.")
    for number in range(30):
        await here.ask(f"Number {number}: {REMARK}".strip())
        if await fold.count():
            break
    await expect(fold).to_have_attribute("aria-expanded", "false")
    await fold.focus()
    await page.keyboard.press("Enter")
    card = here.conversation.get_by_role("region", name="Summary of the messages above")
    await expect(card.get_by_text("Kumquat", exact=True)).to_be_visible()
    await card.get_by_role("button", name="Edit").click()
    field = card.get_by_role("textbox", name="What the assistant gets of the messages above")
    await expect(field).to_be_focused()
    await field.fill("Ada sails a boat called Tangerine.")
    await card.get_by_role("button", name="Save").click()
    await expect(card.get_by_text("Edited by you.")).to_be_visible()
    await expect(card.get_by_role("button", name="Edit")).to_be_focused()

    await page.reload()
    await expect(here.conversation.get_by_role("button", name="Earlier: Ada sails a boat")).to_be_visible()
    await here.ask("What is it called?")
    last = str(small_model.requests[-1].json)
    assert "Tangerine" in last
    assert "Kumquat" not in last


async def test_what_is_left_out_is_said(
    new_context: NewContext, small_system: System, small_model: ModelServer
) -> None:
    small_model.default = lambda request: (
        Text("Understood.") if "tools" in request.json else Status(400, message="no summaries here")
    )
    context = await new_context()
    here = await open_window(context, small_system.url, new_username(), "Create account")
    told = here.conversation.get_by_text("the assistant no longer sees them")
    for number in range(30):
        await here.ask(f"Number {number}: {REMARK}".strip())
        if await told.count():
            break
    await expect(told).to_be_visible()
    await here.page.reload()
    await expect(told).to_be_visible()
