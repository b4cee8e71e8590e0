import { afterEach, expect, it, vi } from "vitest";

import { copyText } from "./clipboard.ts";

afterEach(() => vi.unstubAllGlobals());

const withClipboard = (clipboard: Partial<Clipboard> | undefined) =>
  vi.stubGlobal("navigator", Object.create(navigator, { clipboard: { value: clipboard } }));

/** Returns the text that `execCommand` would copy. */
function withCommand(): () => string | undefined {
  let taken: string | undefined;
  document.execCommand = () => {
    taken = (document.activeElement as HTMLTextAreaElement).value;
    return true;
  };
  return () => taken;
}

it("uses the clipboard API if there is one", async () => {
  const writeText = vi.fn(() => Promise.resolve());
  withClipboard({ writeText });
  expect(await copyText("text")).toBe(true);
  expect(writeText).toHaveBeenCalledWith("text");
});

it.each([
  ["there is no API", undefined],
  ["the API refuses", { writeText: () => Promise.reject(new Error("no")) }],
])("uses the browser's command if %s, and restores the focus and the page", async (_, clipboard) => {
  withClipboard(clipboard);
  const taken = withCommand();
  document.body.innerHTML = "<button>Copy</button>";
  document.querySelector("button")?.focus();
  expect(await copyText("text")).toBe(true);
  expect(taken()).toBe("text");
  expect(document.activeElement?.tagName).toBe("BUTTON");
  expect(document.querySelector("textarea")).toBeNull();
});
