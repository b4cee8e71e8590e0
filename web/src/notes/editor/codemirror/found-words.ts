/** Marks words in the text, and scrolls to the first of them: what a search has found. The next edit removes the marks. */

import { StateEffect, StateField, type EditorState, type Extension } from "@codemirror/state";
import { Decoration, EditorView, type DecorationSet } from "@codemirror/view";

const MARKS_MAX = 500;
const FOUND = Decoration.mark({ tagName: "mark", class: "cm-found" });
const show = StateEffect.define<DecorationSet>();

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(shown, transaction) {
    for (const effect of transaction.effects) if (effect.is(show)) return effect.value;
    return transaction.docChanged ? Decoration.none : shown;
  },
  provide: (field) => EditorView.decorations.from(field),
});

export const foundWords: Extension = marks;

/** Changes its identity when the marks change. */
export const foundMarksOf = (state: EditorState): DecorationSet => state.field(marks);

/** Whether a word that a search has found overlaps with the text between `from` and `to`. */
export function foundOverlaps(state: EditorState, from: number, to: number): boolean {
  let overlaps = false;
  state.field(marks).between(from, to, (start, end) => {
    overlaps ||= start < to && end > from;
    return overlaps ? false : undefined;
  });
  return overlaps;
}

/** `words`: as they stand in the text, but for their case. Nothing is marked that is not there. */
export function showFound(view: EditorView, words: string[]): void {
  const found = occurrences(view.state, words);
  const [first] = found;
  if (!first) return;
  view.dispatch({
    selection: { anchor: first.to },
    effects: [
      show.of(Decoration.set(found.map(({ from, to }) => FOUND.range(from, to)))),
      EditorView.scrollIntoView(first.from, { y: "center" }),
    ],
  });
}

function occurrences(state: EditorState, words: string[]): { from: number; to: number }[] {
  const wanted = [...new Set(words.map((word) => word.trim()).filter(Boolean))]
    .sort((a, b) => b.length - a.length)
    .map((word) => word.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  if (wanted.length === 0) return [];
  const found: { from: number; to: number }[] = [];
  for (const match of state.doc.toString().matchAll(new RegExp(wanted.join("|"), "giu"))) {
    found.push({ from: match.index, to: match.index + match[0].length });
    if (found.length === MARKS_MAX) break;
  }
  return found;
}
