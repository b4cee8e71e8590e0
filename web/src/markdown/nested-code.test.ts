import { expect, it, vi } from "vitest";

import { IncrementalDom } from "./incremental-dom.ts";
import { MarkdownStream } from "./markdown-stream.ts";
import { addCopyButtons } from "./nested-code.ts";

it("code inside a list has a button that copies it, also while the list grows", async () => {
  const writeText = vi.fn((_: string) => Promise.resolve());
  vi.stubGlobal("navigator", Object.create(navigator, { clipboard: { value: { writeText } } }));
  const page = document.createElement("div");
  const dom = new IncrementalDom(page, addCopyButtons);
  const stream = new MarkdownStream();
  const text = "1. first\n\n   ```sh\n   ls -l\n   ```\n\n2. second\n\n   ```\n   pwd\n   ```\n\n3. third";
  for (let end = 1; end <= text.length; end++)
    for (const block of stream.update(text.slice(0, end)))
      if (block.kind === "html") dom.show(block.parts, block.open);
  const buttons = [...page.querySelectorAll<HTMLButtonElement>("li .nested-code button")];
  expect(buttons.map((button) => button.ariaLabel)).toEqual(["Copy code", "Copy code"]);
  expect([...page.querySelectorAll(".nested-code .head span")].map((one) => one.textContent)).toEqual([
    "sh",
    "text",
  ]);
  buttons[0]?.click();
  await vi.waitFor(() => expect(buttons[0]?.ariaLabel).toBe("Copied"));
  expect(writeText).toHaveBeenCalledExactlyOnceWith("ls -l\n");
  vi.unstubAllGlobals();
});
