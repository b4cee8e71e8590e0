"""No text, whether by users or the model, runs scripts or loads external resources, and links show their targets."""

from typing import Any

from playwright.async_api import Page, expect

from standalone.system import System
from tests.e2e.person import NewContext, Person, new_username, open_window
from tests.model_server import Calls, ModelServer, Text

ELSEWHERE = "https://elsewhere.example"
SHORT = '<img src=x onerror="window.ran=1"><svg onload=window.ran=2>'
"""An attack that fits into a title."""
TAG = "<script>window.ran=3</script>"
PAYLOADS = f"""{SHORT}{TAG}
<iframe src="javascript:parent.ran=4"></iframe><iframe srcdoc="<script>parent.ran=5</script>"></iframe>
<object data="{ELSEWHERE}/object"></object><embed src="{ELSEWHERE}/embed"><base href="{ELSEWHERE}/">
<style>@import "{ELSEWHERE}/style.css"; * {{ background: url({ELSEWHERE}/all.png) }}</style>
<meta http-equiv="refresh" content="0;url={ELSEWHERE}/refresh"><link rel="stylesheet" href="{ELSEWHERE}/link.css">
<form action="{ELSEWHERE}/form"><input name="password" type="password" autofocus onfocus="window.ran=6"></form>
<details open ontoggle="window.ran=7">x</details> <math href="javascript:window.ran=8">m</math>
<video autoplay src="{ELSEWHERE}/video" onerror="window.ran=9"></video><p onclick="window.ran=10">press me</p>

[one](javascript:window.ran=11) [two](JaVaScRiPt:window.ran=12) [three](data:text/html,<script>top.ran=13</script>)
[four](vbscript:window.ran=14) <javascript:window.ran=15> [five](&#106;avascript:window.ran=16)

![pixel]({ELSEWHERE}/pixel.png) ![data](data:image/svg+xml,%3Csvg%20onload=alert(1)%3E) ![js](javascript:window.ran=17)

```html
{SHORT}
```

[a page]({ELSEWHERE}/page?a=b)
"""
WATCH = """() => {
  const reported = ["script-src-attr", "style-src-elem", "base-uri"];
  window.refused = [];
  addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    // the sanitiser reads hostile text in a document that is never shown, and Chromium reports what stands there
    if (!reported.includes(violatedDirective)) window.refused.push(`${violatedDirective} ${blockedURI}`);
  });
}"""
"""Records violations of the content security policy: the sanitiser must not let anything get that far."""
HANDLERS = """() => [...document.querySelectorAll("*")].flatMap((one) =>
  one.getAttributeNames().filter((name) => name.startsWith("on")).map((name) => `${one.tagName} ${name}`))"""


async def test_nothing_that_anybody_writes_runs_or_loads(
    new_context: NewContext, scripted_system: System, model: ModelServer
) -> None:
    url = scripted_system.url
    context = await new_context(base_url=url)
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    dialogs: list[str] = []
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await page.evaluate(WATCH)
    model.script(*_an_answer_with_calls())
    await here.ask(PAYLOADS.strip())
    await _press_everything(here)
    await _look_at_the_note(here)
    await page.get_by_role("button", name="Event log").click()
    await expect(here.events).to_contain_text("onerror")
    await _links_are_honest(page)

    assert await page.evaluate("window.ran") is None
    assert await page.evaluate("window.refused") == []
    assert await page.evaluate(HANDLERS) == []
    assert [request for request in requests if not request.startswith((url, "blob:", "data:"))] == []
    assert dialogs == []
    assert len(context.pages) == 1


def _an_answer_with_calls() -> list[Any]:
    note = {"title": SHORT, "body": PAYLOADS, "tags": [TAG]}
    return [
        Calls([("create_note", note), ("read_note", {"id": TAG}), (TAG, {"title": SHORT})], text=PAYLOADS),
        Text(PAYLOADS),
    ]


async def _press_everything(here: Person) -> None:
    """Opens the cards, and clicks on each text that may be an attack."""
    talk = here.conversation
    await expect(talk.get_by_text("press me").first).to_be_visible()
    for card in await talk.get_by_role("button", name="details").all():
        if await card.get_attribute("aria-expanded") == "false":
            await card.click()
    for word in ("one", "two", "three", "four", "five", "press me"):
        for place in await talk.get_by_text(word, exact=True).all():
            await place.click()


async def _look_at_the_note(here: Person) -> None:
    """Views the note in the list, in search snippets, in the editor, in the preview and in the history."""
    page = here.page
    search = page.get_by_role("searchbox", name="Search notes")
    await search.fill("onerror")
    await expect(page.locator("mark").first).to_be_visible()
    await page.get_by_role("list", name="Notes", exact=True).get_by_role("link").first.click()
    await expect(page.get_by_role("textbox", name="Title")).to_have_value(SHORT)
    await page.get_by_role("button", name="Preview").click()
    await page.get_by_role("article").get_by_text("press me").first.click()
    await page.get_by_role("button", name="Preview").click()
    await page.get_by_role("button", name="History").click()
    await expect(page.get_by_role("list", name="Versions")).to_be_visible()
    await page.get_by_role("button", name="Close the history").click()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("<img")
    await expect(page.get_by_role("option").first).to_contain_text("onerror")
    await page.keyboard.press("Escape")


async def _links_are_honest(page: Page) -> None:
    """External links open in a new tab without a reference to this one, and show their target."""
    links = page.locator(f'a[href^="{ELSEWHERE}"]')
    assert await links.count() > 0
    for link in await links.all():
        await expect(link).to_have_attribute("target", "_blank")
        assert "noopener" in (await link.get_attribute("rel") or "")
        assert ELSEWHERE in (await link.get_attribute("title") or "")
    bad = page.locator(
        'a[href^="javascript" i], a[href^="data:" i], a[href^="vbscript" i], iframe, object, embed, base'
    )
    await expect(bad).to_have_count(0)
