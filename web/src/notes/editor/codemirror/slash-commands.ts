/** Commands after a slash at the beginning of a line or behind a blank: `/task`, `/table` and the like. */

import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { syntaxTree } from "@codemirror/language";
import type { StateCommand } from "@codemirror/state";

import { setHeading, toggleList } from "./line-marks.ts";

// letters only: a path such as `/etc/hosts` is none
const BEGUN = /(?<![^\s>])\/[\p{L}\d ]{0,20}$/u;
const CODE = /Code|HTML|Comment/;

/** Inserts lines of their own, with the caret at `¦` or behind them. */
function block(text: string): StateCommand {
  return ({ state, dispatch }) => {
    const line = state.doc.lineAt(state.selection.main.head);
    const isEmpty = line.text.trim() === "";
    const before = isEmpty ? "" : "\n\n";
    const caret = text.indexOf("¦");
    const insert = before + text.replace("¦", "");
    const from = isEmpty ? line.from : line.to;
    const at = from + before.length + (caret < 0 ? text.length : caret);
    dispatch(
      state.update({
        changes: { from, to: line.to, insert },
        selection: { anchor: at },
        userEvent: "input.complete",
        scrollIntoView: true,
      }),
    );
    return true;
  };
}

function words(text: () => string): StateCommand {
  return ({ state, dispatch }) => {
    dispatch(state.update(state.replaceSelection(text()), { userEvent: "input.type", scrollIntoView: true }));
    return true;
  };
}

/** The day here, as ISO 8601 writes it. */
function today(): string {
  const now = new Date();
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()]
    .map((part) => String(part).padStart(2, "0"))
    .join("-");
}

const COMMANDS: { label: string; detail: string; run: StateCommand }[] = [
  { label: "Heading 1", detail: "#", run: setHeading(1) },
  { label: "Heading 2", detail: "##", run: setHeading(2) },
  { label: "Heading 3", detail: "###", run: setHeading(3) },
  { label: "Task list", detail: "- [ ]", run: toggleList("tasks") },
  { label: "List with bullets", detail: "-", run: toggleList("bullets") },
  { label: "List with numbers", detail: "1.", run: toggleList("numbers") },
  { label: "Quotation", detail: ">", run: block("> ¦") },
  { label: "Code block", detail: "```", run: block("```¦\n\n```") },
  { label: "Table", detail: "| |", run: block("| ¦ |  |\n| --- | --- |\n|  |  |") },
  { label: "Divider", detail: "---", run: block("---\n¦") },
  { label: "Link to a note", detail: "[[", run: words(() => "[[") },
  { label: "Today's date", detail: "", run: words(today) },
];

const OPTIONS = COMMANDS.map(({ label, detail, run }, index): Completion => ({
  label,
  detail,
  boost: -index,
  apply(view, _, from, to) {
    view.dispatch({ changes: { from: from - "/".length, to }, userEvent: "input.complete" });
    run(view);
  },
}));

export function slashCommands(context: CompletionContext): CompletionResult | null {
  const typed = context.matchBefore(BEGUN);
  if (!typed || context.state.readOnly) return null;
  for (let node = syntaxTree(context.state).resolveInner(context.pos, -1); ;) {
    if (CODE.test(node.name)) return null;
    if (!node.parent) break;
    node = node.parent;
  }
  return { from: typed.from + "/".length, options: OPTIONS, validFor: /^[\p{L}\d ]*$/u };
}
