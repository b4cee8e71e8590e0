/**
 * Keyboard shortcuts for Markdown. Tab indents a list item; elsewhere it moves the focus to the next control, as on the
 * rest of the page. In a list it moves the focus after Escape, and if the field was entered by Tab and no other key has
 * been pressed since.
 */

import { deleteMarkupBackward, insertNewlineContinueMarkupCommand } from "@codemirror/lang-markdown";
import { EditorSelection, type StateCommand } from "@codemirror/state";
import { EditorView, type KeyBinding } from "@codemirror/view";

import { toggleMark } from "./inline-marks.ts";
import { setHeading, toggleList } from "./line-marks.ts";
import { indentItem, outdentItem } from "./list-indent.ts";

/** Makes the selected text a link, with the cursor where its address goes. Without a selection the key is the page's. */
const linkSelected: StateCommand = ({ state, dispatch }) => {
  if (state.readOnly || state.selection.main.empty) return false;
  const changes = state.changeByRange(({ from, to }) => {
    const text = state.sliceDoc(from, to);
    return { changes: { from, to, insert: `[${text}]()` }, range: EditorSelection.cursor(to + "[](".length) };
  });
  dispatch(state.update(changes, { userEvent: "input", scrollIntoView: true }));
  return true;
};

export const markdownKeymap: KeyBinding[] = [
  // continues a list; on an empty item it ends the list instead of making it a loose list
  { key: "Enter", run: insertNewlineContinueMarkupCommand({ nonTightLists: false }) },
  { key: "Backspace", run: deleteMarkupBackward },
  { key: "Tab", run: indentItem, shift: outdentItem },
  { key: "Mod-b", run: toggleMark("**"), preventDefault: true },
  { key: "Mod-i", run: toggleMark("*"), preventDefault: true },
  { key: "Mod-e", run: toggleMark("`"), preventDefault: true },
  { key: "Mod-Shift-x", run: toggleMark("~~"), preventDefault: true },
  { key: "Mod-k", run: linkSelected },
  ...[0, 1, 2, 3].map((level) => ({ key: `Mod-Alt-${level}`, run: setHeading(level), preventDefault: true })),
  { key: "Mod-Shift-7", run: toggleList("numbers"), preventDefault: true },
  { key: "Mod-Shift-8", run: toggleList("bullets"), preventDefault: true },
  { key: "Mod-Shift-9", run: toggleList("tasks"), preventDefault: true },
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
