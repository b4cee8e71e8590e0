import { EditorState, type StateCommand } from "@codemirror/state";
import { describe, expect, it } from "vitest";

import { toggleMark } from "./inline-marks.ts";
import { setHeading, toggleList } from "./line-marks.ts";

/** Runs commands on a text whose selection is between `‹` and `›`, or at `|`; the result has the same marks. */
function after(marked: string, ...commands: StateCommand[]): string {
  const anchor = marked.search(/[‹|]/);
  const text = marked.replace(/[‹›|]/g, "");
  const head = marked.includes("›") ? marked.indexOf("›") - 1 : anchor;
  let state = EditorState.create({ doc: text, selection: { anchor, head } });
  for (const run of commands) run({ state, dispatch: (transaction) => (state = transaction.state) });
  const { from, to, empty } = state.selection.main;
  const doc = state.doc.toString();
  return empty
    ? `${doc.slice(0, from)}|${doc.slice(from)}`
    : `${doc.slice(0, from)}‹${doc.slice(from, to)}›${doc.slice(to)}`;
}

const bold = toggleMark("**");
const italic = toggleMark("*");
const code = toggleMark("`");

describe("bold and italic", () => {
  it.each<[string, StateCommand[], string]>([
    ["so ‹it› is", [bold], "so **‹it›** is"],
    ["so ‹it› is", [bold, bold], "so ‹it› is"],
    ["so ‹it› is", [bold, italic], "so ***‹it›*** is"],
    ["so ‹it› is", [italic, bold], "so ***‹it›*** is"],
    ["so ‹it› is", [bold, italic, bold], "so *‹it›* is"],
    ["so ‹it› is", [bold, italic, italic], "so **‹it›** is"],
    ["so ‹**it**› is", [bold], "so ‹it› is"],
    ["so ‹**it**› is", [italic], "so *‹**it**›* is"],
    ["so ‹ it › is", [bold], "so  **‹it›**  is"],
    ["so i|t is", [bold], "so **i|t** is"],
    ["so i|t is", [bold, bold], "so i|t is"],
    ["so **it|** is", [bold], "so **it**| is"],
    ["so | is", [bold], "so **|** is"],
    ["so | is", [bold, bold], "so | is"],
    ["so ‹it› is", [code], "so `‹it›` is"],
    ["so ‹it› is", [code, bold], "so `**‹it›**` is"],
  ])("%s", (before, commands, result) => {
    expect(after(before, ...commands)).toBe(result);
  });

  it("change nothing in a note that cannot be changed", () => {
    const state = EditorState.create({ doc: "it", extensions: EditorState.readOnly.of(true) });
    expect(bold({ state, dispatch: () => expect.unreachable() })).toBe(false);
  });
});

describe("marks of lines", () => {
  it.each<[string, StateCommand[], string]>([
    ["a|b", [setHeading(2)], "## a|b"],
    ["## a|b", [setHeading(2)], "a|b"],
    ["# a|b", [setHeading(3)], "### a|b"],
    ["- a|b", [setHeading(1)], "# a|b"],
    ["### a|b", [setHeading(0)], "a|b"],
    ["|", [toggleList("bullets")], "- |"],
    ["‹a\nb›", [toggleList("bullets")], "- ‹a\n- b›"],
    ["‹a\n\nb›", [toggleList("numbers")], "1. ‹a\n\n2. b›"],
    ["- ‹a\n- b›", [toggleList("bullets")], "‹a\nb›"],
    ["- ‹a\n- b›", [toggleList("tasks")], "- [ ] ‹a\n- [ ] b›"],
    ["- [x] a|", [toggleList("tasks")], "a|"],
    ["‹- [x] a\nb›", [toggleList("tasks")], "‹- [x] a\n- [ ] b›"],
    ["  - a|", [toggleList("numbers")], "  1. a|"],
  ])("%s", (before, commands, result) => {
    expect(after(before, ...commands)).toBe(result);
  });
});
