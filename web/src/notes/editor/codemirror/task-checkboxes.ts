/** Checkboxes of tasks in the editor: a click, or Mod-Enter in its line, toggles one. */

import { syntaxTree } from "@codemirror/language";
import type { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";

/** The position of the first task's checkbox between `from` and `to`. */
function boxWithin(state: EditorState, from: number, to: number): number | null {
  let found: number | null = null;
  syntaxTree(state).iterate({
    from,
    to,
    enter({ name, from }) {
      if (name === "TaskMarker") found ??= from;
    },
  });
  return found;
}

function tick(view: EditorView, box: number | null): boolean {
  if (box === null || view.state.readOnly) return false;
  const at = box + 1;
  const insert = view.state.sliceDoc(at, at + 1) === " " ? "x" : " ";
  view.dispatch({ changes: { from: at, to: at + 1, insert }, userEvent: "input.tick" });
  return true;
}

export const taskCheckboxes = [
  keymap.of([
    {
      key: "Mod-Enter",
      run(view) {
        const { from, to } = view.state.doc.lineAt(view.state.selection.main.head);
        return tick(view, boxWithin(view.state, from, to));
      },
    },
  ]),
  EditorView.domEventHandlers({
    mousedown(event, view) {
      const { target } = event;
      if (event.button !== 0 || event.shiftKey || !(target instanceof HTMLElement)) return false;
      if (target.closest(".cm-task input")) return (event.preventDefault(), true); // keeps the cursor where it is
      if (!target.closest(".cm-box")) return false;
      const at = view.posAtDOM(target);
      const done = tick(view, boxWithin(view.state, at, at + 1));
      if (done) event.preventDefault();
      return done;
    },
    click(event, view) {
      const { target } = event;
      if (!(target instanceof HTMLElement) || !target.closest(".cm-task input")) return false;
      event.preventDefault(); // it is drawn again as the text says
      const at = view.posAtDOM(target);
      return tick(view, boxWithin(view.state, at, view.state.doc.lineAt(at).to));
    },
  }),
];
