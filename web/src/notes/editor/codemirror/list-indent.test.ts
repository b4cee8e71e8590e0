import { ensureSyntaxTree, LanguageSupport } from "@codemirror/language";
import { EditorState, type StateCommand } from "@codemirror/state";
import { describe, expect, it } from "vitest";

import { language } from "../../../markdown/note-language.ts";
import { indentItem, outdentItem } from "./list-indent.ts";
import { indentHistory } from "./indent-history.ts";

/** A state with the cursor at the end of one of its lines. */
class Field {
  #state: EditorState;

  constructor(text: string, line: number) {
    const state = EditorState.create({
      doc: text,
      extensions: [new LanguageSupport(language), indentHistory],
    });
    this.#state = state.update({ selection: { anchor: state.doc.line(line).to } }).state;
  }

  /** Runs the command up to `most` times, while it changes something: the initial text, and the text after each. */
  move(command: StateCommand, most = 1): string[] {
    const texts = [this.text];
    for (let times = 0; times < most; times++) {
      ensureSyntaxTree(this.#state, this.#state.doc.length, 1_000);
      command({ state: this.#state, dispatch: ({ state }) => (this.#state = state) });
      if (this.text === texts.at(-1)) break;
      texts.push(this.text);
    }
    return texts;
  }

  goTo(line: number): void {
    this.#state = this.#state.update({ selection: { anchor: this.#state.doc.line(line).to } }).state;
  }

  get text(): string {
    return this.#state.doc.toString();
  }
}

/** Seeded pseudo-random numbers. */
function* numbers(seed: number): Generator<number, never> {
  for (;;) yield (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** Lists with mixed indentation: by two, by four, by tabs. */
function lists(count: number): string[] {
  const chance = numbers(7);
  const one = <T>(of: readonly T[]) => of[Math.floor(chance.next().value * of.length)] as T;
  return Array.from({ length: count }, () =>
    Array.from({ length: 2 + Math.floor(chance.next().value * 6) }, (_, line) => {
      const blank = line === 0 ? "" : one(["", "", "  ", "   ", "    ", "\t", "\t\t", "      ", "  \t"]);
      return `${blank}${one(["- ", "- ", "1. ", "- [ ] ", "more "])}${line}`;
    }).join("\n"),
  );
}

describe("items that are indented and outdented", () => {
  it.each([
    ["in and out", indentItem, outdentItem],
    ["out and in", outdentItem, indentItem],
  ])("return to each previous position: %s", (_, there, undo) => {
    for (const text of lists(150))
      for (let line = 1; line <= text.split("\n").length; line++) {
        const field = new Field(text, line);
        const steps = field.move(there, 4);
        const back = field.move(undo, steps.length - 1);
        expect(back, JSON.stringify(text)).toEqual(steps.reverse());
      }
  });

  it.each([
    ["- a\n- b\n    - c", 3, ["- a\n- b\n- c"]],
    ["- a\n  - b\n      - c", 3, ["- a\n  - b\n  - c", "- a\n  - b\n- c"]],
    ["- a\n\t- b\n\t     - c", 3, ["- a\n\t- b\n\t- c", "- a\n\t- b\n- c"]],
  ])("are aligned with the surrounding items when outdented: %j", (text, line, after) => {
    expect(new Field(text, line).move(outdentItem, 4)).toEqual([text, ...after]);
  });

  it.each([
    ["-   a\n-   b", "-   a\n    -   b"],
    ["-\ta\n-\tb", "-\ta\n    -\tb"],
    ["-     a\n- b", "-     a\n  - b"],
    ["- a\n    - b\n    - c", "- a\n    - b\n      - c"],
  ])("are aligned with the text of the previous item when indented: %j", (text, after) => {
    const line = text.split("\n").length;
    expect(new Field(text, line).move(indentItem, 4)).toEqual([text, after]);
  });

  it("follow the current list if something else was changed in between", () => {
    const field = new Field("- a\n- b\n    - c", 2);
    field.move(indentItem);
    expect(field.text).toBe("- a\n  - b\n      - c");
    field.goTo(3);
    field.move(outdentItem);
    expect(field.text).toBe("- a\n  - b\n  - c");
    field.goTo(2);
    field.move(outdentItem);
    expect(field.text).toBe("- a\n- b\n  - c");
  });
});
