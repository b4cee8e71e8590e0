"""Files in a real browser: a picture is shown, and nothing that a file says runs, however it is opened."""

import base64

from playwright.async_api import Page, expect

from tests.e2e.person import NewContext, new_username, open_window

UPLOAD = """async ([name, bytes, type]) => {
  const body = Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0));
  const response = await fetch(`/api/files?name=${name}`, { method: "POST", body, headers: { "Content-Type": type } });
  return `/api/files/${(await response.json()).id}`;
}"""
SHOWN = """async (path) => {
  const picture = new Image();
  picture.src = path;
  document.body.append(picture);
  await picture.decode().catch(() => undefined);
  return [picture.naturalWidth, picture.naturalHeight];
}"""
EMBEDDED = """async (path) => {
  const outcome = (element) => new Promise((resolve) => {
    element.onload = () => resolve("loaded");
    element.onerror = () => resolve("refused");
    document.body.append(element);
  });
  const script = Object.assign(document.createElement("script"), { src: path });
  const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: path });
  const worker = new Promise((resolve) => {
    try { new Worker(path).onerror = () => resolve("refused"); } catch { resolve("refused"); }
  });
  return Promise.all([outcome(script), outcome(style), worker]);
}"""
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
HOSTILE = [
    ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"><script>window.ran=1</script></svg>', "image/svg+xml"),
    ("a.html", b"<!doctype html><script>window.ran=1</script>", "text/html"),
    ("a.js", b"window.ran=1", "text/javascript"),
    ("a.css", b"* { display: none }", "text/css"),
]


async def _upload(page: Page, name: str, content: bytes, kind: str) -> str:
    return await page.evaluate(UPLOAD, [name, base64.b64encode(content).decode(), kind])


async def test_a_picture_is_shown_and_nothing_runs(new_context: NewContext, url: str) -> None:
    somebody = await open_window(await new_context(), url, new_username(), "Create account")
    page = somebody.page
    picture = await _upload(page, "pixel.png", base64.b64decode(PIXEL), "text/html")
    assert await page.evaluate(SHOWN, picture) == [1, 1]
    for name, content, kind in HOSTILE:
        path = await _upload(page, name, content, kind)
        assert await page.evaluate(SHOWN, path) == [0, 0]
        assert await page.evaluate(EMBEDDED, path) == ["refused"] * 3
        async with page.expect_download() as saved:  # opening it saves it, and the page stays
            await page.evaluate("(path) => { location.href = path }", path)
        assert (await saved.value).suggested_filename == name
    assert await page.evaluate("window.ran") is None
    await expect(somebody.notes).to_be_visible()
    opened = await page.context.new_page()
    await opened.goto(url.rstrip("/") + picture)
    assert await opened.evaluate("document.images[0].naturalWidth") == 1
    assert await opened.evaluate("self.origin") == "null"  # in a sandbox
    stranger = await open_window(await new_context(), url, new_username(), "Create account")
    assert await stranger.page.evaluate(SHOWN, picture) == [0, 0]
