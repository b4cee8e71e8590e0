import { EditorView } from "@codemirror/view";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { threeWay } from "../merge.ts";
import { Titles } from "../titles.svelte.ts";
import { GLOW_MS } from "./landing.ts";
import { bothTexts, sides, TextField, type FieldOptions } from "./field.ts";

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

const press = (view: EditorView, key: string, ctrlKey = false) =>
  view.contentDOM.dispatchEvent(
    new KeyboardEvent("keydown", {
      key,
      keyCode: key.length === 1 ? key.toUpperCase().charCodeAt(0) : 13,
      ctrlKey,
    }),
  );

function write(view: EditorView, from: number, insert: string, to = from) {
  view.dispatch({
    changes: { from, to, insert },
    selection: { anchor: from + insert.length },
    userEvent: "input.type",
  });
}

describe("text from elsewhere", () => {
  it("leaves the cursor with its words, and tells nobody that it was typed", () => {
    const { field: shown, view } = field("milk\neggs\nbread", { selected: { start: 9, end: 9 } });
    shown.show("oat milk\neggs\nbread and butter");
    expect(view.state.doc.toString()).toBe("oat milk\neggs\nbread and butter");
    expect(view.state.sliceDoc(0, view.state.selection.main.head)).toBe("oat milk\neggs");
    expect(typed).not.toHaveBeenCalled();
  });

  it("is lit, word by word, and fades", () => {
    const { field: shown } = field("milk\neggs\nbread");
    shown.show("oat milk\neggs\nbread and butter");
    const lit = () => [...place.querySelectorAll("mark")].map((mark) => mark.textContent);
    expect(lit()).toEqual(["oat ", " and butter"]);
    vi.advanceTimersByTime(GLOW_MS);
    expect(lit()).toEqual([]);
  });

  it("is not undone by the person's undo", () => {
    const { field: shown, view } = field("milk");
    write(view, 4, "!");
    shown.show("oat milk!");
    press(view, "z", true);
    expect(view.state.doc.toString()).toBe("oat milk");
    press(view, "z", true);
    expect(view.state.doc.toString()).toBe("oat milk");
  });
});

describe("line ends", () => {
  it.each([
    ["a\r\nb", "a\r\nb!"],
    ["a\nb", "a\nb!"],
    ["a\r\nb\nc", "a\nb\nc!"],
  ])("of %j stay where they are all alike", (text, after) => {
    const { field: shown, view } = field(text);
    shown.show(text);
    expect(typed).not.toHaveBeenCalled();
    write(view, view.state.doc.length, "!");
    expect(typed).toHaveBeenLastCalledWith(after);
  });
});

describe("keys", () => {
  it("go on with a list, and end it", () => {
    const { view } = field("- a", { selected: { start: 3, end: 3 } });
    press(view, "Enter");
    expect(view.state.doc.toString()).toBe("- a\n- ");
    press(view, "Enter");
    expect(view.state.doc.toString()).toBe("- a\n");
  });

  it("make bold and italic, and take it back", () => {
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

  it("do nothing to a note in the trash", () => {
    const { field: shown, view } = field("gone", { selected: { start: 0, end: 4 } });
    shown.freeze(true);
    press(view, "b", true);
    expect(view.state.doc.toString()).toBe("gone");
    expect(view.contentDOM.getAttribute("aria-readonly")).toBe("true");
  });
});

describe("typing over what is selected", () => {
  const over = (view: EditorView, data: string) => {
    const event = new InputEvent("beforeinput", { inputType: "insertText", data, cancelable: true });
    view.contentDOM.dispatchEvent(event);
    return event.defaultPrevented;
  };

  it("is one change, made by the field and undone at once", () => {
    const { view } = field("# so it is", { selected: { start: 2, end: 10 } });
    expect(over(view, "x")).toBe(true);
    expect(view.state.doc.toString()).toBe("# x");
    expect(typed).toHaveBeenLastCalledWith("# x");
    press(view, "z", true);
    expect(view.state.doc.toString()).toBe("# so it is");
  });

  it("is the browser's where nothing is selected", () => {
    expect(over(field("so").view, "x")).toBe(false);
  });

  it("is nobody's in the trash", () => {
    const { field: shown, view } = field("gone", { selected: { start: 0, end: 4 } });
    shown.freeze(true);
    over(view, "x");
    expect(view.state.doc.toString()).toBe("gone");
  });
});

describe("two texts", () => {
  it("stand one after the other where they meet, each line marked with whose it is", () => {
    const stretches = threeWay("list\nmilk\neggs", "list\noat milk\n1 l\neggs", "my list\nsoy milk\neggs");
    field(bothTexts(stretches), { more: sides(stretches) });
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
