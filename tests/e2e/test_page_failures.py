"""A part of the page that fails is reported once, and leaves the rest working."""

import json
from typing import Any

from playwright.async_api import Route, expect

from tests.e2e.person import NewContext, Person, new_username, open_window


def errors_of(here: Person) -> list[str]:
    errors: list[str] = []
    here.page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    here.page.on("pageerror", lambda error: errors.append(f"uncaught: {error}"))
    return errors


async def test_a_list_that_cannot_be_shown_leaves_the_note_and_the_assistant(new_context: NewContext, url: str) -> None:
    context = await new_context(viewport={"width": 1400, "height": 800})
    here = await open_window(context, url, new_username(), "Create account")
    await here.ask("Create a note titled Diary with a secret")
    await here.note("Diary").get_by_role("link").click()
    await expect(here.body).to_be_visible()

    async def broken(route: Route) -> None:
        answer = await route.fetch()
        page: dict[str, Any] = await answer.json()
        await route.fulfill(response=answer, json=page | {"notes": [note | {"tags": None} for note in page["notes"]]})

    errors = errors_of(here)
    await here.page.route("**/api/notes?*", broken)
    await here.page.reload()
    notice = here.page.get_by_role("alert").filter(has_text="The list could not be shown")
    await expect(notice).to_be_visible()
    await expect(here.page.get_by_text("Something unexpected happened")).to_have_count(1)
    assert len(errors) == 1, errors

    await here.body.click()
    await here.page.keyboard.press("Control+End")
    await here.page.keyboard.type(" and more")
    await expect(here.page.get_by_text("Saved", exact=True)).to_be_visible()
    await here.ask("Hello")
    await here.page.get_by_role("button", name="Archive", exact=True).focus()

    await here.page.unroute("**/api/notes?*")
    await here.page.reload()
    await expect(here.note("Diary")).to_be_visible()
    await expect(here.body).to_contain_text("and more")
    await expect(notice).to_have_count(0)


async def test_a_message_that_cannot_be_shown_leaves_the_others(new_context: NewContext, url: str) -> None:
    context = await new_context(viewport={"width": 1400, "height": 800})
    here = await open_window(context, url, new_username(), "Create account")
    await here.ask("Hello one")
    await here.ask("Hello two")

    async def broken(route: Route) -> None:
        answer = await route.fetch()
        talk = json.loads(await answer.text())
        for message in talk["messages"]:
            if message["text"] == "Hello one":
                message["siblings"] = None
                message["text"] = {"no": "text"}
        await route.fulfill(response=answer, json=talk)

    errors = errors_of(here)
    await here.page.route("**/api/conversations/*", broken)
    await here.page.reload()
    await expect(here.conversation.get_by_text("This message could not be shown")).to_be_visible()
    await expect(here.conversation.get_by_text("Hello two", exact=True)).to_be_visible()
    assert len(errors) == 1, errors
    await here.ask("Hello three")
    await here.page.unroute_all(behavior="ignoreErrors")
