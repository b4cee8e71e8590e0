"""Notes with one very long line: opened, read to their end and written like others."""

import time

import pytest

from tests.e2e.person import NewContext, Person, new_username, open_window

LENGTH = 250_000
"""Of a line, in bytes of UTF-8."""
KINDS = {
    "links": "[a](b) ",
    "wiki links": "[[a]]",
    "emphasis": "*a* **b** ",
    "brackets": "[",
    "CJK": "漢字**漢**、",
    "no spaces": "a",
}
KEY_SECONDS = """() => new Promise((done) => {
  const began = performance.now();
  requestAnimationFrame(() => setTimeout(() => done((performance.now() - began) / 1000)));
  const body = document.querySelector('[aria-label="Body"]');
  body.focus();
  document.execCommand("insertText", false, "x");
})"""


async def seconds(here: Person, url: str, title: str, body: str) -> tuple[float, float]:
    """How long a note takes to open, and the first key in it."""
    answer = await here.page.request.post(f"{url.rstrip('/')}/api/notes", data={"title": title, "body": body})
    assert answer.status == 201, await answer.text()
    row = here.note(title)
    await row.wait_for()
    began = time.perf_counter()
    await row.click()
    await here.page.wait_for_function(
        """(begin) => document.querySelector('.cm-content[aria-label="Body"]')?.textContent.includes(begin)
          && new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true))))""",
        arg=body[:1],
    )
    opened = time.perf_counter() - began
    return opened, await here.page.evaluate(KEY_SECONDS)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_long_line_is_opened_and_written_like_paragraphs(kind: str, new_context: NewContext, url: str) -> None:
    here = await open_window(await new_context(), url, new_username(), "Create account")
    paragraphs = "some words of *it* and a [link](b)\n\n" * (LENGTH // 36)
    reference = await seconds(here, url, "Paragraphs", paragraphs)
    line = (KINDS[kind] * LENGTH).encode()[:LENGTH].decode(errors="ignore")
    opened, key = await seconds(here, url, "One line", line)
    assert opened < 4 * reference[0] + 2, (opened, reference)
    assert key < 4 * reference[1] + 0.5, (key, reference)
