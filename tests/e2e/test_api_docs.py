"""`/docs`: Swagger UI describes the API and calls it, under the page's content security policy and without a CDN."""

from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Request, expect

from tests.e2e.person import PASSWORD, new_username


async def test_swagger_ui_shows_the_operations_and_calls_them(browser: Browser, url: str) -> None:
    context = await browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    hosts: set[str] = set()

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(f"{message.text} ({message.location})")

    def note_host(request: Request) -> None:
        if request.url.startswith("http"):
            hosts.add(urlsplit(request.url).netloc)

    context.on("console", listen)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    context.on("request", note_host)
    try:
        account = {"username": new_username(), "password": PASSWORD}
        assert (await context.request.post("/api/auth/register", data=account)).status == 201
        page = await context.new_page()
        response = await page.goto("/docs")
        assert response is not None
        assert "unsafe" not in response.headers["content-security-policy"]
        document = await (await context.request.get("/openapi.json")).json()
        operations = sum(len(methods) for methods in document["paths"].values())
        await expect(page.get_by_role("heading", name="Inkstream")).to_be_visible()
        await expect(page.locator(".opblock")).to_have_count(operations)
        await expect(page.get_by_role("link", name="/openapi.json")).to_be_visible()
        for path in ("/api/notes/import", "/api/runs/{id}/events", "/api/auth/me"):  # an upload, a stream, plain JSON
            await page.locator(".opblock", has=page.get_by_text(path, exact=True)).get_by_role("button").first.click()
        await expect(page.locator(".opblock.is-open .responses-table")).to_have_count(3)
        me = page.locator(".opblock", has_text="/api/auth/me")
        await me.get_by_role("button", name="Try it out").click()
        await me.get_by_role("button", name="Execute").click()
        await expect(me.locator(".live-responses-table .response .response-col_status")).to_have_text("200")
        await expect(me.locator(".live-responses-table")).to_contain_text(account["username"])
    finally:
        await context.close()
    assert complaints == []
    assert hosts == {urlsplit(url).netloc}
