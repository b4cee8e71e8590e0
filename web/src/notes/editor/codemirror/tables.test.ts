import { EditorState, type StateCommand } from "@codemirror/state";
import { LanguageSupport } from "@codemirror/language";
import { describe, expect, it } from "vitest";

import { language } from "../../../markdown/note-language.ts";
import { aligned, cellsOf, isDelimiter } from "./table-cells.ts";
import { nextCell, previousCell } from "./tables.ts";

const texts = (row: string) => cellsOf(row).map(({ from, to }) => row.slice(from, to));

describe("cells", () => {
  it.each([
    ["| a | b |", ["a", "b"]],
    ["a|b", ["a", "b"]],
    ["| a \\| b | c", ["a \\| b", "c"]],
    ["|  | b |", ["", "b"]],
    ["||", [""]],
    ["a", ["a"]],
    ["", [""]],
  ])("of %j", (row, cells) => expect(texts(row)).toEqual(cells));

  it("of rows are aligned, with wide characters and a side for each column", () => {
    expect(aligned(["|a|b|c|", "|-|:-:|--:|", "|漢字|xyz|1|", "|long words|"])).toEqual([
      "| a          |  b  |   c |",
      "| ---------- | :-: | --: |",
      "| 漢字       | xyz |   1 |",
      "| long words |     |     |",
    ]);
  });

  it.each([
    ["|-|", true],
    [":-- | --:", true],
    ["---", true],
    ["| a |", false],
    ["", false],
  ])("%j is a delimiter row: %s", (row, is) => expect(isDelimiter(row)).toBe(is));
});

/** Runs commands with the caret at `¦`; the result has the selection between `‹` and `›`. */
function after(marked: string, ...commands: StateCommand[]): string {
  const anchor = marked.indexOf("¦");
  let state = EditorState.create({
    doc: marked.replace("¦", ""),
    selection: { anchor },
    extensions: new LanguageSupport(language),
  });
  for (const run of commands) run({ state, dispatch: (transaction) => (state = transaction.state) });
  const { from, to } = state.selection.main;
  const doc = state.doc.toString();
  return `${doc.slice(0, from)}‹${doc.slice(from, to)}›${doc.slice(to)}`;
}

describe("Tab in a table", () => {
  it.each<[string, StateCommand[], string]>([
    ["|a¦|b|\n|-|-|\n|c|d|", [nextCell], "| a   | ‹b›   |\n| --- | --- |\n| c   | d   |"],
    ["|a|b¦|\n|-|-|\n|c|d|", [nextCell], "| a   | b   |\n| --- | --- |\n| ‹c›   | d   |"],
    ["|a|b|\n|-|-|\n|c¦|d|", [previousCell], "| a   | ‹b›   |\n| --- | --- |\n| c   | d   |"],
    ["|a|b|\n|-|-|\n|c|d¦|", [nextCell], "| a   | b   |\n| --- | --- |\n| c   | d   |\n| ‹›    |     |"],
    [
      "|a|b|\n|-|-|\n|c|d¦|\n\nafter",
      [nextCell],
      "| a   | b   |\n| --- | --- |\n| c   | d   |\n| ‹›    |     |\n\nafter",
    ],
    ["|a¦|b|\n|-|-|", [previousCell], "|a‹›|b|\n|-|-|"],
    ["words¦\n\n|a|\n|-|", [nextCell], "words‹›\n\n|a|\n|-|"],
  ])("%j", (before, commands, result) => expect(after(before, ...commands)).toBe(result));

  it("leaves a note alone that cannot be changed", () => {
    const state = EditorState.create({
      doc: "|a|\n|-|",
      extensions: [new LanguageSupport(language), EditorState.readOnly.of(true)],
    });
    expect(nextCell({ state, dispatch: () => expect.unreachable() })).toBe(false);
  });
});
