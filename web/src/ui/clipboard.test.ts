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

it("gives rich text as well", async () => {
  const write = vi.fn(() => Promise.resolve());
  const types: string[][] = [];
  vi.stubGlobal("ClipboardItem", function (items: object) {
    types.push(Object.keys(items));
  });
  withClipboard({ write });
  expect(await copyText("**text**", "<b>text</b>")).toBe(true);
  expect(write).toHaveBeenCalledOnce();
  expect(types).toEqual([["text/plain", "text/html"]]);
});

it("gives rich text without the API, too", async () => {
  withClipboard(undefined);
  const given: Record<string, string> = {};
  document.execCommand = () => {
    const event = new Event("copy", { cancelable: true });
    Object.assign(event, {
      clipboardData: { setData: (type: string, data: string) => (given[type] = data) },
    });
    return !document.activeElement?.dispatchEvent(event);
  };
  expect(await copyText("**text**", "<b>text</b>")).toBe(true);
  expect(given).toEqual({ "text/plain": "**text**", "text/html": "<b>text</b>" });
});
