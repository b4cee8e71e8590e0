/** The lines with a caret: there the source is shown, elsewhere what it means. */

import { searchPanelOpen } from "@codemirror/search";
import {
  StateEffect,
  StateField,
  type EditorState,
  type Extension,
  type Transaction,
} from "@codemirror/state";
import { EditorView } from "@codemirror/view";

interface CaretLines {
  /** The lines' beginnings and ends, in document order. */
  lines: readonly { from: number; to: number }[];
  focused: boolean;
  /** While a mouse button is held, lines keep their form, so that what is being selected stays under the pointer. */
  pressed: boolean;
}

const focusChanged = StateEffect.define<boolean>();
const pressChanged = StateEffect.define<boolean>();

const field = StateField.define<CaretLines>({
  create: () => ({ lines: [], focused: false, pressed: false }),
  update(before, transaction) {
    let { focused, pressed } = before;
    for (const effect of transaction.effects) {
      if (effect.is(focusChanged)) focused = effect.value;
      if (effect.is(pressChanged)) pressed = effect.value;
    }
    const lines = pressed ? moved(before, transaction) : linesOf(transaction.state, focused);
    const isSame =
      lines.length === before.lines.length &&
      lines.every(
        ({ from, to }, index) => from === before.lines[index]?.from && to === before.lines[index].to,
      );
    if (isSame && focused === before.focused && pressed === before.pressed) return before;
    return { lines: isSame ? before.lines : lines, focused, pressed };
  },
});

function moved({ lines }: CaretLines, { changes, docChanged }: Transaction): CaretLines["lines"] {
  return docChanged
    ? lines.map(({ from, to }) => ({ from: changes.mapPos(from, -1), to: changes.mapPos(to, 1) }))
    : lines;
}

function linesOf(state: EditorState, focused: boolean): CaretLines["lines"] {
  if (!focused && !searchPanelOpen(state)) return []; // the panel selects what it finds, without the focus
  return state.selection.ranges.map(({ head }) => {
    const { from, to } = state.doc.lineAt(head);
    return { from, to };
  });
}

/** Changes its identity only when the lines change. */
export const caretLinesOf = (state: EditorState): CaretLines["lines"] => state.field(field).lines;

/** Whether a caret stands in one of the lines from `from` to `to`. */
export const hasCaretLine = (state: EditorState, from: number, to: number): boolean =>
  caretLinesOf(state).some((line) => line.from <= to && line.to >= from);

export const caretLines: Extension = [
  field,
  EditorView.focusChangeEffect.of((_, focused) => focusChanged.of(focused)),
  EditorView.domEventHandlers({
    mousedown(event, view) {
      if (event.button !== 0) return;
      view.dispatch({ effects: pressChanged.of(true) });
      const release = () => view.dispatch({ effects: pressChanged.of(false) });
      // also outside the window, and after a drag, which has no mouseup event
      const ends = new AbortController();
      for (const type of ["mouseup", "dragend", "blur"])
        addEventListener(type, () => (ends.abort(), release()), { signal: ends.signal });
    },
  }),
];
