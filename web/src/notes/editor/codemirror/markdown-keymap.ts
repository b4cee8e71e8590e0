/**
 * Keys that write Markdown. Tab moves a list's item in, and elsewhere leads on to what comes next, as everywhere on the
 * page. From a list, too, it leads on after Escape, and for whoever came by Tab and has pressed nothing else.
 */

import { deleteMarkupBackward, insertNewlineContinueMarkupCommand } from "@codemirror/lang-markdown";
import { EditorSelection, type ChangeSpec, type StateCommand } from "@codemirror/state";
import { EditorView, type KeyBinding } from "@codemirror/view";

import { indentItem, outdentItem } from "./list-indent.ts";

/** Puts `mark` around what is selected, or takes it away where it is there. */
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
  // goes on with a list; on an empty item it ends the list, and does not space its items out
  { key: "Enter", run: insertNewlineContinueMarkupCommand({ nonTightLists: false }) },
  { key: "Backspace", run: deleteMarkupBackward },
  { key: "Tab", run: indentItem, shift: outdentItem },
  { key: "Mod-b", run: wraps("**"), preventDefault: true },
  { key: "Mod-i", run: wraps("*"), preventDefault: true },
];

const LONG_MS = 24 * 3_600_000;

/** Whoever goes through the page by Tab comes out again: here only the key's way up is seen. */
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
