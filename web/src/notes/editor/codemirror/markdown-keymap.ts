/**
 * Keyboard shortcuts for Markdown. Tab indents a list item; elsewhere it moves the focus to the next control, as on the
 * rest of the page. In a list it moves the focus after Escape, and if the field was entered by Tab and no other key has
 * been pressed since.
 */

import { deleteMarkupBackward, insertNewlineContinueMarkupCommand } from "@codemirror/lang-markdown";
import { EditorSelection, type ChangeSpec, type StateCommand } from "@codemirror/state";
import { EditorView, type KeyBinding } from "@codemirror/view";

import { indentItem, outdentItem } from "./list-indent.ts";

/** Toggles `mark` around the selection. */
function wraps(mark: string): StateCommand {
  return ({ state, dispatch }) => {
    if (state.readOnly) return false;
    const width = mark.length;
    const changes = state.changeByRange(({ from, to }) => {
      const around = state.sliceDoc(from - width, from) === mark && state.sliceDoc(to, to + width) === mark;
      const spec: ChangeSpec = around
        ? [
            { from: from - width, to: from },
            { from: to, to: to + width },
          ]
        : [
            { from, insert: mark },
            { from: to, insert: mark },
          ];
      const by = around ? -width : width;
      return { changes: spec, range: EditorSelection.range(from + by, to + by) };
    });
    dispatch(state.update(changes, { userEvent: "input", scrollIntoView: true }));
    return true;
  };
}

export const markdownKeymap: KeyBinding[] = [
  // continues a list; on an empty item it ends the list instead of making it a loose list
  { key: "Enter", run: insertNewlineContinueMarkupCommand({ nonTightLists: false }) },
  { key: "Backspace", run: deleteMarkupBackward },
  { key: "Tab", run: indentItem, shift: outdentItem },
  { key: "Mod-b", run: wraps("**"), preventDefault: true },
  { key: "Mod-i", run: wraps("*"), preventDefault: true },
];

const LONG_MS = 24 * 3_600_000;

/**
 * Keyboard users who reach the field by Tab can leave it by Tab. If the field was entered by Tab, it receives only the
 * keyup event, not the keydown event; from then on, Tab moves the focus until another key or the mouse is used.
 */
export function tabFocus() {
  let pressedHere = false;
  return EditorView.domEventHandlers({
    keydown(event) {
      pressedHere = event.key === "Tab";
    },
    keyup(event, view) {
      if (event.key === "Tab" && !pressedHere) view.setTabFocusMode(LONG_MS);
      pressedHere = false;
    },
    mousedown(_, view) {
      view.setTabFocusMode(false);
    },
  });
}
