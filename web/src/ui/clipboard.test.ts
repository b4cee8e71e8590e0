import { afterEach, expect, it, vi } from "vitest";

import { copyText } from "./clipboard.ts";

afterEach(() => vi.unstubAllGlobals());

const withClipboard = (clipboard: Partial<Clipboard> | undefined) =>
  vi.stubGlobal("navigator", Object.create(navigator, { clipboard: { value: clipboard } }));

/** What the browser's own command would copy. */
function withCommand(): () => string | undefined {
  let taken: string | undefined;
  document.execCommand = () => {
    taken = (document.activeElement as HTMLTextAreaElement).value;
    return true;
  };
  return () => taken;
}

it("goes the new way where there is one", async () => {
  const writeText = vi.fn(() => Promise.resolve());
  withClipboard({ writeText });
  expect(await copyText("words")).toBe(true);
  expect(writeText).toHaveBeenCalledWith("words");
});

it.each([
  ["there is none", undefined],
  ["it is refused", { writeText: () => Promise.reject(new Error("no")) }],
])("goes the old way where %s, and leaves the focus and the page as they were", async (_, clipboard) => {
  withClipboard(clipboard);
  const taken = withCommand();
  document.body.innerHTML = "<button>Copy</button>";
  document.querySelector("button")?.focus();
  expect(await copyText("words")).toBe(true);
  expect(taken()).toBe("words");
  expect(document.activeElement?.tagName).toBe("BUTTON");
  expect(document.querySelector("textarea")).toBeNull();
});
