"""Answers as models write them: formulas, folded details, code in lists, both directions, and what a copy contains."""

import pytest
from playwright.async_api import BrowserContext, Locator, expect

from standalone.system import System
from tests.e2e.person import NewContext, Person, new_username, open_window
from tests.model_server import ModelServer, Text

ANSWER = r"""Use a Vec<String>, put your key into <your-api-key> and log in by ssh <user>@<host>.

Inline \(E=mc^2\), $a_1 * b_1 + a_2 * b_2$, and it costs $5 and then $10 (~20%, ~30%).

\[
\begin{pmatrix}
1 & 2 \\
3 & 4
\end{pmatrix}
\]

$$
\int_0^1 f(x)\,dx = \frac{1}{2} \quad x_{i}^{*} + y_{i}^{*}
$$

<details>
<summary>Click for the **solution**</summary>

The answer is **42**, because \(x^2 = 42\).

```python
print(42)
```

</details>

含**「重点」**内容，请看https://example.com/foo，谢谢。

Roses are red,
Violets are blue.

1. Run this:

   ```sh
   ls -l
   ```

2. Done.

مرحبا، هذا نص عربي مع English بداخله و `code()`.

1. البند الأول
2. البند الثاني

> اقتباس

- [ ] مهمة

| اسم | قيمة |
|---|---|
| أ | 1 |

שלום עולם — פסקה בעברית.

English paragraph after.
"""


@pytest.fixture
async def context(new_context: NewContext) -> BrowserContext:
    return await new_context(permissions=["clipboard-read", "clipboard-write"])


async def answered(context: BrowserContext, system: System, model: ModelServer, text: str = ANSWER) -> Person:
    model.default = Text(text)
    here = await open_window(context, system.url, new_username(), "Create account")
    await here.ask("Show me everything")
    return here


async def test_formulas_are_rendered_under_the_security_policy(
    context: BrowserContext, scripted_system: System, model: ModelServer
) -> None:
    problems: list[str] = []
    requested: list[str] = []
    context.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    context.on("request", lambda request: requested.append(request.url))
    model.default = Text("No formula, but $5 and $10.")
    here = await open_window(context, scripted_system.url, new_username(), "Create account")
    await here.ask("Hello")
    assert not [url for url in requested if "katex" in url.lower()]
    model.default = Text(ANSWER)
    await here.ask("Show me everything")
    await expect(here.conversation.locator(".math .katex")).to_have_count(3)
    await expect(here.conversation.locator(".math-display .katex")).to_have_count(2)
    await expect(here.conversation.get_by_text("it costs $5 and then $10 (~20%, ~30%).")).to_be_visible()
    # the styles that KaTeX computes are applied: the limits of the integral are above each other
    assert await here.conversation.locator(".math-display .vlist [style]").count() > 0
    await here.page.wait_for_function("() => document.fonts.check('16px KaTeX_Main')")
    assert not [problem for problem in problems if "Security Policy" in problem]


async def test_words_in_angle_brackets_are_shown(
    context: BrowserContext, scripted_system: System, model: ModelServer
) -> None:
    here = await answered(context, scripted_system, model)
    await expect(
        here.conversation.get_by_text(
            "Use a Vec<String>, put your key into <your-api-key> and log in by ssh <user>@<host>."
        )
    ).to_be_visible()


async def test_details_are_folded_and_have_what_other_blocks_have(
    context: BrowserContext, scripted_system: System, model: ModelServer
) -> None:
    here = await answered(context, scripted_system, model)
    details = here.conversation.locator("details")
    await expect(details.get_by_text("The answer is")).to_be_hidden()
    await details.get_by_text("Click for the solution").click()
    await expect(details.get_by_text("The answer is")).to_be_visible()
    await expect(details.locator("strong").get_by_text("42")).to_be_visible()
    await expect(details.get_by_role("button", name="Copy code")).to_be_visible()


async def test_each_block_has_its_direction(
    context: BrowserContext, scripted_system: System, model: ModelServer
) -> None:
    here = await answered(context, scripted_system, model)

    async def direction(of: Locator) -> str:
        return await of.evaluate("(element) => getComputedStyle(element).direction")

    block = here.conversation.locator(".prose .block")
    assert await direction(block.filter(has_text="مرحبا")) == "rtl"
    assert await direction(block.filter(has_text="English paragraph after")) == "ltr"
    assert await direction(here.conversation.get_by_text("code()")) == "ltr"
    # the numbers stand within the block, which cuts off what is outside
    first = here.conversation.locator("ol li").filter(has_text="البند الأول")
    room = await first.evaluate(
        "(item) => item.closest('.block').getBoundingClientRect().right - item.getBoundingClientRect().right"
    )
    assert room >= 16


async def test_a_copy_is_text_and_rich_text(
    context: BrowserContext, scripted_system: System, model: ModelServer
) -> None:
    here = await answered(context, scripted_system, model, "A **bold** word.\n\n1. One\n\n   ```sh\n   ls -l\n   ```\n")
    await here.conversation.hover()
    await here.conversation.get_by_role("button", name="Copy answer").click()
    await expect(here.conversation.get_by_role("button", name="Copied")).to_be_visible()
    read = """async (type) => {
      const [item] = await navigator.clipboard.read();
      return await (await item.getType(type)).text();
    }"""
    assert (await here.page.evaluate(read, "text/plain")).startswith("A **bold** word.")
    assert "<strong>bold</strong>" in await here.page.evaluate(read, "text/html")
    await here.conversation.locator("li").get_by_role("button", name="Copy code").click()
    await expect(here.conversation.locator("li").get_by_role("button", name="Copied")).to_be_visible()
    assert await here.page.evaluate("() => navigator.clipboard.readText()") == "ls -l\n"
