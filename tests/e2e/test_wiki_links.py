"""Wiki links: completion of titles, following a link, and backlinks."""

import io
import re
import zipfile

from playwright.async_api import BrowserContext, Locator, Page, expect

from tests.e2e.person import NewContext, new_username, open_window


async def make_note(context: BrowserContext, title: str, body: str = "") -> None:
    made = await context.request.post("/api/notes", data={"title": title, "body": body})
    assert made.ok, await made.text()


def title(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Title")


async def test_a_link_is_written_followed_and_found_back(new_context: NewContext, url: str) -> None:
    context = await new_context(base_url=url)
    here = await open_window(context, url, new_username(), "Create account")
    page, keys = here.page, here.page.keyboard
    await make_note(context, "Crème brûlée", "Sugar, burnt.")
    await make_note(context, "Menu")
    await here.note("Menu").click()
    await here.body.click()
    await keys.type("For dessert [[brul")
    await expect(page.get_by_role("option")).to_have_text(["Crème brûlée"])
    await keys.press("Enter")
    await keys.type(" today, see ")
    await keys.type("[[Nowhere]].")
    await expect(here.body).to_have_text("For dessert [[Crème brûlée]] today, see [[Nowhere]].")
    await expect(here.body.get_by_title("No note yet")).to_have_text("[[Nowhere]]")
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()

    await here.body.get_by_text("Crème").click(modifiers=["ControlOrMeta"])
    await expect(title(page)).to_have_value("Crème brûlée")
    links_here = page.get_by_role("region", name="Linked from")
    await links_here.get_by_role("link", name="Menu").click()
    await expect(title(page)).to_have_value("Menu")

    await page.get_by_role("button", name="Preview").click()
    await page.get_by_role("link", name="Crème brûlée", exact=True).click()
    await expect(title(page)).to_have_value("Crème brûlée")


async def test_a_link_to_no_note_yet_offers_to_make_it(new_context: NewContext, url: str) -> None:
    context = await new_context(base_url=url)
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    await make_note(context, "Plans", "First [[a garden|the garden]].")
    await here.note("Plans").click()
    await page.get_by_role("button", name="Preview").click()
    link = page.get_by_role("link", name="the garden", exact=True)
    await expect(link).to_have_attribute("title", "There is no note called “a garden” yet")
    await link.click()
    await page.get_by_role("button", name="Create it").click()
    await expect(title(page)).to_have_value("a garden")
    await page.get_by_role("region", name="Linked from").get_by_role("link", name="Plans").click()
    await expect(title(page)).to_have_value("Plans")
    await expect(link).to_have_attribute("title", "a garden")


async def test_links_follow_a_note_that_is_called_otherwise(new_context: NewContext, url: str) -> None:
    context = await new_context(base_url=url)
    here = await open_window(context, url, new_username(), "Create account")
    page, keys = here.page, here.page.keyboard
    await make_note(context, "Trip", "By train.")
    await make_note(context, "Plans", "See [[Trip]], [[trip|the trip]] and `[[Trip]]`.")
    await make_note(context, "Diary", "[[Trip]] begins.")
    await here.note("Plans").click()
    await expect(here.body).to_contain_text("See Trip")
    await here.note("By train").click()
    await expect(page.get_by_role("region", name="Linked from").get_by_role("link")).to_have_count(2)
    await title(page).click()
    await keys.press("End")
    await keys.type(" to Rome")
    await expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    await expect(page.get_by_text("2 notes link to")).to_have_count(0)  # the title may not be complete yet
    await keys.press("Enter")
    await expect(page.get_by_role("status").filter(has_text="2 notes link to “Trip”.")).to_be_visible()
    await page.get_by_role("button", name="Update links").focus()
    await keys.press("Enter")
    await expect(page.get_by_text("2 notes link to “Trip to Rome” now.")).to_be_visible()

    await expect(page.get_by_role("region", name="Linked from").get_by_role("link")).to_have_count(2)
    await here.note("Plans").click()
    await here.body.click()
    await expect(here.body).to_have_text("See [[Trip to Rome]], [[Trip to Rome|the trip]] and `[[Trip]]`.")


async def test_links_of_an_imported_vault_lead_to_their_notes(new_context: NewContext, url: str) -> None:
    context = await new_context(base_url=url)
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    forms = ["[[File Name]]", "[[Sub/File Name#Part|with folder]]", "[beside](Sub/File%20Name.md)", "[by reference][1]"]
    vault = {
        "V/Sub/File Name.md": "---\ntitle: Shown title\n---\nIts text.",
        "V/From.md": f"{' and '.join(forms)} and [none](Nowhere.md)\n\n[1]: <Sub/File Name.md#part>",
    }
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        for name, text in vault.items():
            files.writestr(name, text)
    upload = {"name": "v.zip", "mimeType": "application/zip", "buffer": archive.getvalue()}
    started = await context.request.post("/api/notes/import", multipart={"file": upload})
    assert started.ok, await started.text()
    await here.note("From").click()
    await page.get_by_role("button", name="Preview").click()
    for name in ("File Name", "with folder", "beside", "by reference"):
        await here.note("From").click()
        await page.get_by_role("link", name=name, exact=True).click()
        await expect(title(page)).to_have_value("Shown title")
        await expect(page.get_by_role("region", name="Linked from").get_by_role("link")).to_have_text(["From"])
    await here.note("From").click()
    await expect(page.get_by_role("link", name="none", exact=True)).to_have_class(re.compile("missing"))
