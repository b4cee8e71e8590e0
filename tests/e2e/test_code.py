"""Code has the same colours in the editor, in a note's preview and in a complete answer."""

from playwright.async_api import Locator, expect

from standalone.system import System
from tests.e2e.person import NewContext, new_username, open_window
from tests.model_server import ModelServer, OpenAnswer

SCRIPT = "// a greeting\nconst hi = (name) => `hello ${name}`;\n"
NOTE = (
    f"All:\n\n```js\n{SCRIPT}```\n\n```sh\nif a; then b; fi\n```\n\n- in a list\n\n  ```go\n  func main() {{}}\n  ```\n"
)
LONG = "```js\n" + "const a = 1;\n" * 4_500 + "```\n\n"
"""Code of more than 50 KB."""
COLOURS = """code => Object.fromEntries([...code.querySelectorAll("[class^=code-]")].map((token) =>
  [token.textContent, getComputedStyle(token).color]))"""
SIZES = """block => {
  const plain = block.cloneNode(true);
  for (const stretch of plain.querySelectorAll("code > span")) stretch.textContent = stretch.textContent;
  block.after(plain);
  const sizes = [block, plain].map((one) => [one.offsetHeight, one.querySelector("pre").scrollWidth]);
  plain.remove();
  return sizes;
}"""
"""The heights of a block, with and without colours."""


async def test_code_in_an_answer_is_coloured_once_it_is_whole(
    new_context: NewContext, scripted_system: System, model: ModelServer
) -> None:
    url = scripted_system.url
    context = await new_context(base_url=url, permissions=["clipboard-read", "clipboard-write"])
    here = await open_window(context, url, new_username(), "Create account")
    lines = [f"const line{number} = {number};\n" for number in range(60)]
    second = "".join(lines).rstrip()
    begun = f"```js\n{SCRIPT}```\n\nand\n\n```js\n" + "".join(lines[:10])
    model.default = answer = OpenAnswer(begun, "".join(lines[10:]), tokens_per_second=None)
    await here.send("Write some code.")
    blocks = here.conversation.locator(".code")
    await expect(_tokens(blocks.first, "keyword")).to_have_text(["const"])
    await expect(blocks.nth(1)).to_contain_text("line9 ")
    assert await _tokens(blocks.nth(1), "keyword").count() == 0
    assert await here.stop.is_visible()
    coloured, plain = await blocks.first.evaluate(SIZES)
    assert coloured == plain
    assert await blocks.first.locator("code").text_content() == SCRIPT.rstrip()

    answer.finish()
    await here.answered()
    await expect(_tokens(blocks.nth(1), "keyword")).to_have_count(60)
    assert await blocks.nth(1).locator("code").text_content() == second
    await blocks.nth(1).get_by_role("button", name="Copy code").click()
    assert await here.page.evaluate("() => navigator.clipboard.readText()") == second


async def test_code_in_a_note_has_the_same_colours_in_its_preview(new_context: NewContext, url: str) -> None:
    context = await new_context(base_url=url)
    here = await open_window(context, url, new_username(), "Create account")
    page = here.page
    made = await page.request.post("/api/notes", data={"title": "Code", "body": LONG + NOTE})
    assert made.ok
    await here.note("Code").click()
    await here.body.focus()
    await page.keyboard.press("ControlOrMeta+End")
    await expect(_tokens(here.body, "keyword").filter(has_text="func")).to_be_visible()
    await expect(_tokens(here.body, "keyword").filter(has_text="then")).to_be_visible()
    written = await here.body.evaluate(COLOURS)
    assert {"// a greeting", "const", "then", "func"} <= set(written)

    await page.get_by_role("button", name="Preview").click()
    preview = page.locator("div.preview")
    await preview.get_by_text("in a list").scroll_into_view_if_needed()
    await expect(_tokens(preview, "keyword").filter(has_text="func")).to_be_visible()
    await expect(_tokens(preview, "keyword").filter(has_text="then")).to_be_visible()
    await expect(_tokens(preview, "comment")).to_be_visible()
    shown = await preview.evaluate(COLOURS)
    assert shown == {word: written[word] for word in shown}
    assert {"// a greeting", "const", "then", "func"} <= set(shown)
    assert await _tokens(preview.locator("pre").first, "keyword").count() == 0

    note = await made.json()
    for fence, coloured in (("```python", 1), ("```unheard-of", 0)):
        body = f"{fence}\nimport os\n```\n"
        await page.request.patch(
            f"/api/notes/{note['id']}", data={"body": body}, headers={"If-Match": f'"{note["version"]}"'}
        )
        note["version"] += 1
        await expect(preview.locator(".head span")).to_have_text([fence.lstrip("`")])
        await expect(_tokens(preview, "keyword")).to_have_count(coloured)
        await expect(preview.locator("code span span")).to_have_count(coloured)


def _tokens(place: Locator, look: str) -> Locator:
    return place.locator(f".code-{look}")
