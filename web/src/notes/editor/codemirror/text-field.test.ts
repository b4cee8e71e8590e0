import { EditorView } from "@codemirror/view";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { threeWay } from "../../sync/merge.ts";
import { Titles } from "../../links/titles.svelte.ts";
import { HIGHLIGHT_MS } from "./remote-highlight.ts";
import { bothTexts, conflictDecorations, TextField, type FieldOptions } from "./text-field.ts";

const typed = vi.fn();
const toNote = vi.fn();
let place: HTMLElement;

beforeEach(() => {
  vi.useFakeTimers();
  document.body.append((place = document.createElement("div")));
});

afterEach(() => {
  vi.useRealTimers();
  vi.clearAllMocks();
  place.remove();
});

function field(text: string, more: Partial<FieldOptions> = {}): { field: TextField; view: EditorView } {
  const titles = new Titles({ list: [], revision: 0 });
  const made = new TextField(place, { text, label: "Body", titles, typed, toNote, ...more });
  const view = EditorView.findFromDOM(place);
  if (!view) throw new Error("no field");
  return { field: made, view };
}

const CODES: Record<string, number> = { Enter: 13, Tab: 9, Escape: 27, ArrowLeft: 37 };

/** Presses a key, with or without modifiers. Returns false if it was handled. */
const press = (view: EditorView, key: string, more: boolean | KeyboardEventInit = false) =>
  view.contentDOM.dispatchEvent(
    new KeyboardEvent("keydown", {
      key,
      keyCode: CODES[key] ?? key.toUpperCase().charCodeAt(0),
      cancelable: true,
      ...(typeof more === "boolean" ? { ctrlKey: more } : more),
    }),
  );

function write(view: EditorView, from: number, insert: string, to = from) {
  view.dispatch({
    changes: { from, to, insert },
    selection: { anchor: from + insert.length },
    userEvent: "input.type",
  });
}

describe("a remote change", () => {
  it("keeps the cursor with the text around it, and is not reported as typed", () => {
    const { field: shown, view } = field("milk\neggs\nbread", { selected: { start: 9, end: 9 } });
    shown.show("oat milk\neggs\nbread and butter");
    expect(view.state.doc.toString()).toBe("oat milk\neggs\nbread and butter");
    expect(view.state.sliceDoc(0, view.state.selection.main.head)).toBe("oat milk\neggs");
    expect(typed).not.toHaveBeenCalled();
  });

  it("is highlighted word by word, and the highlight fades", () => {
    const { field: shown } = field("milk\neggs\nbread");
    shown.show("oat milk\neggs\nbread and butter");
    const lit = () => [...place.querySelectorAll("mark")].map((mark) => mark.textContent);
    expect(lit()).toEqual(["oat ", " and butter"]);
    vi.advanceTimersByTime(HIGHLIGHT_MS);
    expect(lit()).toEqual([]);
  });

  it("is not undone by the user's undo", () => {
    const { field: shown, view } = field("milk");
    write(view, 4, "!");
    shown.show("oat milk!");
    press(view, "z", true);
    expect(view.state.doc.toString()).toBe("oat milk");
    press(view, "z", true);
    expect(view.state.doc.toString()).toBe("oat milk");
  });
});

describe("line endings", () => {
  it.each([
    ["a\r\nb", "a\r\nb!"],
    ["a\nb", "a\nb!"],
    ["a\r\nb\nc", "a\nb\nc!"],
  ])("of %j are preserved if they are all the same", (text, after) => {
    const { field: shown, view } = field(text);
    shown.show(text);
    expect(typed).not.toHaveBeenCalled();
    write(view, view.state.doc.length, "!");
    expect(typed).toHaveBeenLastCalledWith(after);
  });
});

describe("keys", () => {
  it("continue a list, and end it", () => {
    const { view } = field("- a", { selected: { start: 3, end: 3 } });
    press(view, "Enter");
    expect(view.state.doc.toString()).toBe("- a\n- ");
    press(view, "Enter");
    expect(view.state.doc.toString()).toBe("- a\n");
  });

  it.each([
    ["- a\n- b\n  more\n- c", 4, "- a\n  - b\n    more\n- c"],
    ["1. a\n2. b", 6, "1. a\n   1. b"],
    ["1. a\n   1. b\n2. c", 13, "1. a\n   1. b\n   2. c"],
    ["- [ ] a\n- [x] b", 9, "- [ ] a\n  - [x] b"],
    ["- a\n\t- b\n\t- c", 13, "- a\n\t- b\n\t\t- c"],
    ["- a\n\t- b\n- c\n\t- d\n\n\t  e", 11, "- a\n\t- b\n\t- c\n\t\t- d\n\n\t\t  e"],
    ["1. a\n\t- b\n2. c", 12, "1. a\n\t- b\n\t1. c"],
    ["- a\n\t- b\n\t- [ ] c\n\t\t- d", 11, "- a\n\t- b\n\t\t- [ ] c\n\t\t\t- d"],
  ])("indent an item of %j, and outdent it again", (text, at, nested) => {
    const { view } = field(text, { selected: { start: at, end: at } });
    press(view, "Tab");
    expect(view.state.doc.toString()).toBe(nested);
    press(view, "Tab", { shiftKey: true });
    expect(view.state.doc.toString()).toBe(text);
  });

  it("keep the cursor in its place when a tab is removed", () => {
    const { view } = field("- a\n\t- b\n    - c", { selected: { start: 5, end: 5 } });
    press(view, "Tab", { shiftKey: true });
    expect(view.state.doc.toString()).toBe("- a\n- b\n    - c");
    expect(view.state.selection.main.head).toBe(4);
  });

  it("do not indent without a previous item, and move the focus outside lists", () => {
    const first = field("- a\n\nwords", { selected: { start: 2, end: 2 } }).view;
    expect(press(first, "Tab")).toBe(false); // handled
    expect(press(first, "Tab", { shiftKey: true })).toBe(true);
    first.dispatch({ selection: { anchor: 7 } });
    expect(press(first, "Tab")).toBe(true);
    expect(first.state.doc.toString()).toBe("- a\n\nwords");
    first.dispatch({ selection: { anchor: 2 } });
    press(first, "Escape");
    expect(press(first, "Tab")).toBe(true);
  });

  it("move the focus if the field was entered by Tab, until another key is pressed", () => {
    const { view } = field("- a\n- b", { selected: { start: 7, end: 7 } });
    view.contentDOM.dispatchEvent(new KeyboardEvent("keyup", { key: "Tab", keyCode: 9 }));
    expect(press(view, "Tab")).toBe(true);
    press(view, "ArrowLeft");
    expect(press(view, "Tab")).toBe(false);
    expect(view.state.doc.toString()).toBe("- a\n  - b");
  });

  it("toggle the task in the cursor's line", () => {
    const { view } = field("- [ ] milk\n- eggs", { selected: { start: 8, end: 8 } });
    press(view, "Enter", true);
    expect(typed).toHaveBeenLastCalledWith("- [x] milk\n- eggs");
    press(view, "Enter", true);
    press(view, "z", true);
    expect(view.state.doc.toString()).toBe("- [x] milk\n- eggs");
  });

  it("toggle bold and italic", () => {
    const { view } = field("so it is", { selected: { start: 3, end: 5 } });
    press(view, "b", true);
    expect(view.state.doc.toString()).toBe("so **it** is");
    press(view, "b", true);
    press(view, "i", true);
    expect(view.state.doc.toString()).toBe("so *it* is");
  });

  it.each([
    ["see [[the garden|there]] now", "the garden"],
    ["see `[[no link]]` now", null],
    ["see nothing, now and then", null],
  ])("follow the link at the cursor in %j", (text, title) => {
    const { view } = field(text, { selected: { start: 9, end: 9 } });
    press(view, "Enter", true);
    if (title) expect(toNote).toHaveBeenCalledWith(title);
    else expect(toNote).not.toHaveBeenCalled();
  });

  it("do nothing in a note in the trash", () => {
    const { field: shown, view } = field("gone", { selected: { start: 0, end: 4 } });
    shown.freeze(true);
    press(view, "b", true);
    expect(view.state.doc.toString()).toBe("gone");
    expect(view.contentDOM.getAttribute("aria-readonly")).toBe("true");
  });
});

describe("typing over a selection", () => {
  const over = (view: EditorView, data: string) => {
    const event = new InputEvent("beforeinput", { inputType: "insertText", data, cancelable: true });
    view.contentDOM.dispatchEvent(event);
    return event.defaultPrevented;
  };

  it("is one change, made by the editor and undone in one step", () => {
    const { view } = field("# so it is", { selected: { start: 2, end: 10 } });
    expect(over(view, "x")).toBe(true);
    expect(view.state.doc.toString()).toBe("# x");
    expect(typed).toHaveBeenLastCalledWith("# x");
    press(view, "z", true);
    expect(view.state.doc.toString()).toBe("# so it is");
  });

  it("is left to the browser if nothing is selected", () => {
    expect(over(field("so").view, "x")).toBe(false);
  });

  it("does nothing in the trash", () => {
    const { field: shown, view } = field("gone", { selected: { start: 0, end: 4 } });
    shown.freeze(true);
    over(view, "x");
    expect(view.state.doc.toString()).toBe("gone");
  });
});

describe("two conflicting texts", () => {
  it("are shown one after the other, each line marked with its side", () => {
    const stretches = threeWay("list\nmilk\neggs", "list\noat milk\n1 l\neggs", "my list\nsoy milk\neggs");
    field(bothTexts(stretches), { more: conflictDecorations(stretches) });
    const lines = [...place.querySelectorAll(".cm-line")].map((line) => [
      line.textContent,
      line.classList.contains("cm-mine") ? "mine" : line.classList.contains("cm-theirs") ? "theirs" : "",
    ]);
    expect(lines).toEqual([
      ["my list", ""],
      ["oat milk", "mine"],
      ["1 l", "mine"],
      ["soy milk", "theirs"],
      ["eggs", ""],
    ]);
  });
});
