/** Headings and lists: sets or takes off the mark at the beginning of each selected line. */

import type { ChangeSpec, EditorState, Line, StateCommand } from "@codemirror/state";

const LINE = /^(\s*)((?:[-*+]|\d+[.)])\s+(?:\[[ xX]\]\s+)?|#{1,6}\s+)?/;

/** Makes the lines headings of a level; 0 makes them paragraphs. The same level twice makes them paragraphs again. */
export function setHeading(level: number): StateCommand {
  return changesLines((lines) => {
    const mark = level === 0 ? "" : `${"#".repeat(level)} `;
    const isOn = lines.every(({ text }) => markOf(text).mark === mark);
    return lines.map((line) => replaced(line, "", isOn ? "" : mark));
  });
}

const LISTS = {
  bullets: { is: /^[-*+]\s+$/, mark: () => "- " },
  numbers: { is: /^\d+[.)]\s+$/, mark: (index: number) => `${index + 1}. ` },
  tasks: { is: /^[-*+]\s+\[[ xX]\]\s+$/, mark: () => "- [ ] " },
} as const;

/** Makes the lines items of a list, or paragraphs if all of them are. Blank lines between them stay as they are. */
export function toggleList(kind: keyof typeof LISTS): StateCommand {
  return changesLines((lines) => {
    const { is, mark } = LISTS[kind];
    const written = lines.length === 1 ? lines : lines.filter(({ text }) => text.trim() !== "");
    const isOn = written.every(({ text }) => is.test(markOf(text).mark));
    return written.map((line, index) =>
      replaced(
        line,
        markOf(line.text).indent,
        isOn ? "" : is.test(markOf(line.text).mark) ? null : mark(index),
      ),
    );
  });
}

function changesLines(change: (lines: Line[]) => ChangeSpec[]): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const changes = state.changes(change(selectedLines(state)));
    const selection = state.selection.map(changes, 1);
    dispatch(state.update({ changes, selection, userEvent: "input", scrollIntoView: true }));
    return true;
  };
}

function selectedLines(state: EditorState): Line[] {
  const numbers = new Set<number>();
  for (const { from, to } of state.selection.ranges) {
    const last = state.doc.lineAt(to).number;
    for (let number = state.doc.lineAt(from).number; number <= last; number++) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b).map((number) => state.doc.line(number));
}

function markOf(text: string): { indent: string; mark: string } {
  const [, indent = "", mark = ""] = LINE.exec(text) ?? [];
  return { indent, mark };
}

/** The line with another mark; null: as it is. */
function replaced(line: Line, indent: string, mark: string | null): ChangeSpec {
  const before = markOf(line.text);
  if (mark === null) return [];
  return {
    from: line.from,
    to: line.from + before.indent.length + before.mark.length,
    insert: indent + mark,
  };
}
