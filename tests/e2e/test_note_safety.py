"""A note's text is untrusted: nothing in it runs, and external pictures are loaded on request only."""

import base64
import re

from playwright.async_api import Page, Route, expect

from tests.e2e.person import NewContext, new_username, open_window

ELSEWHERE = "https://pictures.example"
DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PAYLOADS = f"""
<script>window.ran = 1</script>
<img src=x onerror="window.ran = 2"><img src="{ELSEWHERE}/html.png">
<svg onload="window.ran = 3"><script>window.ran = 4</script><image href="{ELSEWHERE}/svg.png"/></svg>
<iframe src="javascript:parent.ran = 5"></iframe> <iframe srcdoc="<script>parent.ran = 6</script>"></iframe>
<style>@import "{ELSEWHERE}/style.css"; body {{ background: url({ELSEWHERE}/style.png) }}</style>
<p style="background: url({ELSEWHERE}/inline.png)" onclick="window.ran = 7">styled</p>
<video poster="{ELSEWHERE}/poster.png" autoplay></video> <link rel="stylesheet" href="{ELSEWHERE}/link.css">

[click me](javascript:window.ran=8) [me too](data:text/html,<script>window.ran=9</script>) [and me](vbscript:x)
<a href="javascript:window.ran=10">html link</a> [[<img src=x onerror="window.ran = 11">]]
[[x|<b onclick="window.ran=12">y</b>]]

![relative](img.png) ![half an address](https://[) <a href="/\\elsewhere.example">a backslash</a>

![a cat]({ELSEWHERE}/cat.png) ![data](data:image/svg+xml,<svg/onload=alert(1)>) ![js](javascript:window.ran=13)

[a web page](https://example.org/where?it=goes)
"""


async def watched(page: Page) -> list[str]:
    """Records the requests to other hosts; they are answered with a picture."""
    requests: list[str] = []

    async def answer(route: Route) -> None:
        requests.append(route.request.url)
        await route.fulfill(body=DOT, content_type="image/png")

    await page.context.route(re.compile(f"^{ELSEWHERE}/"), answer)
    return requests


async def test_nothing_in_a_note_runs_and_pictures_wait_for_a_click(new_context: NewContext, url: str) -> None:
    context = await new_context(base_url=url)
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    requests = await watched(page)
    await context.request.post("/api/notes", data={"title": "Payloads", "body": PAYLOADS})
    await here.note("Payloads").click()
    await expect(here.body).to_contain_text("window.ran")
    await page.get_by_role("button", name="Preview").click()
    preview = page.get_by_role("article")
    for text in ("click me", "me too", "and me", "html link"):
        await preview.get_by_text(text, exact=True).click()
    await preview.get_by_text("styled").click()
    await expect(preview.get_by_role("link", name="a backslash")).to_have_attribute("target", "_blank")
    await expect(preview.get_by_role("link", name="a web page")).to_have_attribute(
        "title", "https://example.org/where?it=goes"
    )
    await expect(preview.get_by_role("link", name="a backslash")).to_have_attribute("target", "_blank")
    await expect(preview.get_by_role("link", name="a web page")).to_have_attribute("rel", re.compile("noopener"))
    load = page.get_by_role("button", name="Load image")
    await expect(load).to_have_count(1)
    await expect(preview.get_by_text("from pictures.example")).to_be_visible()
    assert await page.evaluate("window.ran") is None
    assert await preview.locator("img").count() == 0
    assert requests == []

    await load.click()
    await expect(preview.get_by_role("img", name="a cat")).to_be_visible()
    assert requests == [f"{ELSEWHERE}/cat.png"]
    assert len(context.pages) == 1


async def test_the_pages_own_policy_allows_no_style_or_script_from_elsewhere(new_context: NewContext, url: str) -> None:
    context = await new_context(base_url=url)
    page = await context.new_page()
    answer = await page.goto("/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "connect-src 'self';" in policy
    assert "default-src 'none'" in policy
