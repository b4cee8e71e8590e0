import { undo } from "@codemirror/commands";
import { EditorView } from "@codemirror/view";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Titles } from "../../links/titles.svelte.ts";
import { TextField, type FieldOptions } from "./text-field.ts";

let place: HTMLElement;

beforeEach(() => {
  vi.useFakeTimers(); // nothing is laid out here, so that nothing can be measured
  document.body.append((place = document.createElement("div")));
});
afterEach(() => {
  vi.useRealTimers();
  place.remove();
});

function field(text: string, more: Partial<FieldOptions> = {}) {
  const titles = new Titles({ list: [], revision: 0 });
  const typed = vi.fn();
  const toNote = vi.fn();
  const made = new TextField(place, { text, label: "Body", titles, typed, toNote, ...more });
  const view = EditorView.findFromDOM(place);
  if (!view) throw new Error("no field");
  return { field: made, view, typed, toNote };
}

/** The text of each line as it is seen. */
const lines = () =>
  [...place.querySelectorAll(".cm-line")].map((line) => {
    const seen = line.cloneNode(true) as HTMLElement;
    for (const hidden of seen.querySelectorAll("[aria-hidden], .cm-widgetBuffer")) hidden.remove();
    return seen.textContent;
  });

async function focus(view: EditorView, at: number) {
  view.focus();
  view.dispatch({ selection: { anchor: at } });
  await vi.waitFor(() => expect(place.querySelector(".cm-focused")).not.toBeNull());
}

describe("marks", () => {
  it.each([
    ["# Title", "Title"],
    ["## Title ##", "Title"],
    ["#", "#"],
    ["a **b** and *c*", "a b and c"],
    ["~~gone~~ `code` ``a`b``", "gone code a`b"],
    ["[the site](https://a.example 'A') and <https://b.example>", "the site and https://b.example"],
    ["[](https://a.example) and [x]", "[](https://a.example) and [x]"],
    ["see [[Plan]] and [[Plan|the plan]]", "see Plan and the plan"],
    ["> said", "said"],
    ["- [ ] milk", "milk"],
    ["1. [x] milk", "1. [x] milk"],
    ["2 \\* 3", "2 * 3"],
    ["---", ""],
    ["the ==key *point*== and a == b, c == d", "the key point and a == b, c == d"],
    ["== a== and ====", "== a== and ===="],
    ["snake_case_name and 2 * 3", "snake_case_name and 2 * 3"],
  ])("of %j are hidden without a caret", (text, seen) => {
    field(text);
    expect(lines()).toEqual([seen]);
  });

  it("of code blocks are hidden while no caret is in the block", async () => {
    const { view } = field("```js\nlet a\n```\n\nafter");
    expect(lines()).toEqual(["js", "let a", "", "", "after"]);
    await focus(view, 7);
    await vi.waitFor(() => expect(lines()).toEqual(["```js", "let a", "```", "", "after"]));
  });

  it("are faint in the caret's line, and hidden again when it leaves", async () => {
    const { view } = field("# One\n**two**\n[[Three]]");
    await focus(view, 8);
    await vi.waitFor(() => expect(lines()).toEqual(["One", "**two**", "Three"]));
    expect([...place.querySelectorAll(".cm-faint")].map((mark) => mark.textContent)).toEqual(["**", "**"]);
    view.dispatch({ selection: { anchor: 0 } });
    expect(lines()).toEqual(["# One", "two", "Three"]);
    view.contentDOM.blur();
    await vi.waitFor(() => expect(lines()).toEqual(["One", "two", "Three"]));
  });

  it("with words that a search has found are shown", () => {
    const { field: shown } = field("[site](https://needle.example) and **b**");
    shown.showFound(["needle"]);
    expect(lines()).toEqual(
      ["[site](https://needle.example) and b"].map((line) => line.replace("[site]", "site]")),
    );
  });
});

describe("a task's box", () => {
  it("changes the text, and can be undone", () => {
    const { view, typed } = field("- [ ] milk\n- [x] eggs");
    const [milk, eggs] = place.querySelectorAll<HTMLInputElement>("input[type=checkbox]");
    expect([milk?.checked, eggs?.checked]).toEqual([false, true]);
    milk?.click();
    expect(typed).toHaveBeenLastCalledWith("- [x] milk\n- [x] eggs");
    expect(place.querySelector<HTMLInputElement>("input[type=checkbox]")?.checked).toBe(true);
    undo(view);
    expect(typed).toHaveBeenLastCalledWith("- [ ] milk\n- [x] eggs");
  });

  it("of a note in the trash is locked", () => {
    const { field: shown, typed } = field("- [ ] milk");
    shown.freeze(true);
    const box = place.querySelector<HTMLInputElement>("input[type=checkbox]");
    expect(box?.disabled).toBe(true);
    box?.click();
    expect(typed).not.toHaveBeenCalled();
  });

  it("is source where the caret stands in it", async () => {
    const { view } = field("- [ ] milk");
    await focus(view, 10);
    expect(place.querySelectorAll("input")).toHaveLength(1);
    view.dispatch({ selection: { anchor: 3 } });
    await vi.waitFor(() => expect(lines()).toEqual(["- [ ] milk"]));
  });
});

describe("a picture", () => {
  it("is offered where it stands, and loads on a click", () => {
    field("see ![a cat](https://cats.example/1.png) here");
    expect(place.querySelector("img:not(.cm-widgetBuffer)")).toBeNull();
    const button = place.querySelector<HTMLButtonElement>(".cm-picture button");
    expect(button?.textContent).toBe("Load image");
    button?.click();
    expect(place.querySelector<HTMLImageElement>("img.picture")?.src).toBe("https://cats.example/1.png");
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "cat.png"])("%s is never an address", (address) => {
    field(`![a cat](${address})`);
    expect(place.querySelector("a[href], img[src]")).toBeNull();
    expect(place.textContent).toContain("a cat is not available.");
  });
});

describe("the undo history", () => {
  it("goes on in the next field of the same note", () => {
    const first = field("milk");
    first.view.dispatch({ changes: { from: 4, insert: " and eggs" }, userEvent: "input" });
    const { history } = first.field;
    first.field.destroy();
    const { view } = field("oat milk and eggs", { history }); // changed on another device meanwhile
    expect(view.state.doc.toString()).toBe("oat milk and eggs");
    undo(view);
    expect(view.state.doc.toString()).toBe("oat milk");
    undo(view);
    expect(view.state.doc.toString()).toBe("oat milk");
  });
});

describe("a table", () => {
  const TABLE = "before\n\n| one | [[Two]] |\n|---|--:|\n| 1 | 2 |\n\nafter";

  it("is shown as one while no caret is in it", async () => {
    const { view } = field(TABLE);
    expect([...place.querySelectorAll("th, td")].map((cell) => cell.textContent)).toEqual([
      "one",
      "Two",
      "1",
      "2",
    ]);
    expect(lines()).toEqual(["before", "", "", "after"]);
    await focus(view, 10);
    await vi.waitFor(() => expect(place.querySelector("table")).toBeNull());
    expect(lines()).toContain("| 1 | 2 |");
  });

  it("is written where it is clicked", async () => {
    const { view } = field(TABLE);
    const [cell] = [...place.querySelectorAll("td")].reverse();
    cell?.dispatchEvent(new MouseEvent("mousedown", { bubbles: true, cancelable: true, button: 0 }));
    expect(view.state.sliceDoc(view.state.selection.main.head - 1, view.state.selection.main.head + 2)).toBe(
      "2 |",
    );
  });

  it("has links that are followed with Ctrl", () => {
    const { toNote } = field(TABLE);
    const link = place.querySelector("th a");
    link?.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey: true }));
    expect(toNote).toHaveBeenCalledWith("Two");
  });

  it("holds nothing that the preview would not show", () => {
    field("| a |\n|---|\n| <img src=x onerror=alert(1)><b>b</b> [x](javascript:alert) |");
    expect(place.querySelector("td img, td [onerror], td a[href]")).toBeNull();
  });
});
