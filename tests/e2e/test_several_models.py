"""Several models: who answers is chosen for a conversation, another one answers where that one cannot, and what it cost
is shown."""

import json
import os
import signal
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Route, expect

from standalone.system import System, running
from tests.conftest import DEMO
from tests.e2e.person import NewContext, Person, new_username, open_window
from tests.model_server import Calls, ModelServer, OpenAnswer, Replay, Status, Text

PRICED = (
    b'data: {"choices":[{"index":0,"delta":{"content":"That was dear."},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":1000,"completion_tokens":500}}\n\ndata: [DONE]\n\n'
)


@pytest.fixture
async def small() -> AsyncGenerator[ModelServer]:
    async with ModelServer(default=Text("I am the small one.")) as server:
        yield server


@pytest.fixture
async def large() -> AsyncGenerator[ModelServer]:
    async with ModelServer(default=Text("I am the large one.")) as server:
        yield server


@pytest.fixture
async def two_models(small: ModelServer, large: ModelServer, tmp_path: Path) -> AsyncGenerator[System]:
    models = [
        {"id": "small", "label": "Small", "base_url": small.base_url, "fallback": ["large"]},
        {
            **{"id": "large", "label": "Large", "provider": "Example", "base_url": large.base_url},
            **{"context_window": 200_000, "images": True, "reasoning": ["low", "high"]},
            **{"price_in": 3, "price_out": 15},
        },
    ]
    listed = tmp_path / "models.json"
    listed.write_text(json.dumps({"models": models}))
    async with running(data_dir=tmp_path, environment=DEMO | {"INKSTREAM_MODELS": str(listed)}) as system:
        yield system


def picker(person: Person, name: str) -> Locator:
    return person.page.get_by_role("button", name=f"Model: {name}", exact=True)


async def choose(person: Person, name: str) -> None:
    await person.page.get_by_role("button", name="Model: ").click()
    await person.page.get_by_role("menuitemradio", name=name).click()


async def test_who_answers_is_chosen_with_the_keyboard_and_remembered(
    new_context: NewContext, two_models: System, small: ModelServer, large: ModelServer
) -> None:
    context = await new_context()
    here = await open_window(context, two_models.url, new_username(), "Create account")
    await expect(picker(here, "Small")).to_be_visible()

    await picker(here, "Small").press("Enter")
    chosen = here.page.get_by_role("menuitemradio", name="Small")
    await expect(chosen).to_be_focused()
    await expect(chosen).to_be_checked()
    dear = here.page.get_by_role("menuitemradio", name="Large")
    await expect(dear).to_contain_text("reads images · 200,000 tokens · $3.00 in, $15.00 out per million")
    await here.page.keyboard.press("ArrowDown")
    await here.page.keyboard.press("Enter")
    await expect(picker(here, "Large")).to_be_focused()
    await choose(here, "high")
    await expect(picker(here, "Large, high")).to_be_visible()

    await here.ask("Who are you?")
    await expect(here.conversation.get_by_text("I am the large one.")).to_be_visible()
    assert large.requests[-1].json["reasoning_effort"] == "high"
    await here.page.reload()
    await expect(picker(here, "Large, high")).to_be_visible()
    await choose(here, "The model’s own")
    await choose(here, "Small")
    await here.ask("And you?")
    await expect(here.conversation.get_by_text("I am the small one.")).to_be_visible()
    assert "reasoning_effort" not in small.requests[-1].json

    await here.page.get_by_role("button", name="New conversation").click()
    await expect(picker(here, "Small")).to_be_visible()


async def test_another_model_answers_and_says_so(
    new_context: NewContext, two_models: System, small: ModelServer, large: ModelServer
) -> None:
    small.default = Status(401)
    large.default = answer = OpenAnswer("", "I took over.", tokens_per_second=None)
    context = await new_context()
    here = await open_window(context, two_models.url, new_username(), "Create account")
    await here.send("Who are you?")
    await expect(here.page.get_by_text("Retrying with Large…")).to_be_visible()
    answer.finish()
    await here.answered()
    await expect(here.conversation.get_by_text("I took over.")).to_be_visible()
    await expect(here.conversation.get_by_text("Large", exact=True)).to_be_visible()
    await here.page.reload()
    await expect(here.conversation.get_by_text("Large", exact=True)).to_be_visible()
    await expect(picker(here, "Small")).to_be_visible()


async def test_the_model_that_took_over_goes_on_after_a_crash(
    new_context: NewContext, two_models: System, small: ModelServer, large: ModelServer
) -> None:
    """What both did stays, and nothing is done twice."""
    small.script(Calls([("create_note", {"title": "By the small one"})]), Status(401))
    large.script(Calls([("create_note", {"title": "By the large one"})]))
    large.default = answer = OpenAnswer("Both are ", "there.", tokens_per_second=None)
    context = await new_context()
    here = await open_window(context, two_models.url, new_username(), "Create account")
    await here.send("Two notes")
    await expect(here.conversation.get_by_text("Both are")).to_be_visible()
    os.kill(two_models.pids()["agent-service"], signal.SIGKILL)
    answer.finish()
    await here.answered()
    await expect(here.conversation.get_by_text("Both are there.")).to_be_visible()
    await here.page.reload()
    await expect(here.conversation.get_by_text("Both are there.")).to_have_count(1)
    await expect(here.conversation.get_by_text("Large", exact=True)).to_be_visible()
    await expect(here.notes.get_by_role("listitem")).to_have_count(2)
    assert len(small.requests) == 2
    assert len(large.requests) == 3


async def test_what_an_answer_cost_and_the_day(new_context: NewContext, two_models: System, large: ModelServer) -> None:
    large.default = Replay([PRICED])
    context = await new_context()
    here = await open_window(context, two_models.url, new_username(), "Create account")
    await choose(here, "Large")
    await here.ask("How much?")
    await expect(here.conversation.get_by_text("$0.01", exact=True)).to_be_visible()
    await here.page.reload()
    await expect(here.conversation.get_by_text("$0.01", exact=True)).to_be_visible()
    await here.ask("And twice?")
    await here.page.get_by_role("button", name="Settings").click()
    models = here.page.get_by_role("region", name="Models")
    await expect(models.get_by_text("$0.02, 3,000 tokens").first).to_be_visible()
    await models.get_by_text("By day and model").click()
    await expect(models.get_by_role("row").nth(1)).to_contain_text("Large")


async def test_a_choice_that_cannot_be_stored_is_taken_back(new_context: NewContext, two_models: System) -> None:
    context = await new_context()
    here = await open_window(context, two_models.url, new_username(), "Create account")
    await here.ask("Hello")
    await context.set_offline(True)
    await choose(here, "Large")
    await expect(picker(here, "Small")).to_be_visible()
    await expect(here.page.get_by_text("Inkstream cannot be reached right now.").first).to_be_visible()
    await context.set_offline(False)
    await choose(here, "Large")
    await expect(picker(here, "Large")).to_be_visible()


async def test_a_chosen_model_that_is_gone_is_named(new_context: NewContext, two_models: System) -> None:
    """The list is one that no longer has it; the default answers."""

    async def without_large(route: Route) -> None:
        response = await route.fetch()
        told = await response.json()
        small, _ = told["models"]
        await route.fulfill(json=told | {"models": [small, small | {"id": "new", "label": "New"}]})

    context = await new_context()
    here = await open_window(context, two_models.url, new_username(), "Create account")
    await choose(here, "Large")
    await here.ask("Hello")
    await context.route("**/api/models", without_large)
    await here.page.reload()
    await picker(here, "Small").click()
    note = "large was chosen and is not available any more. Small answers."
    await expect(here.page.get_by_text(note)).to_be_visible()
    await here.page.get_by_role("menuitemradio", name="New").click()
    await expect(here.page.get_by_text("Model: There is no such model. Available: small, large").first).to_be_visible()
    await expect(picker(here, "Small")).to_be_visible()
