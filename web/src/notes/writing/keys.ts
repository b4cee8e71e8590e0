/** Keys that write Markdown. Tab is none of them: it leads on to what comes next, as everywhere on the page. */

import { deleteMarkupBackward, insertNewlineContinueMarkupCommand } from "@codemirror/lang-markdown";
import { EditorSelection, type ChangeSpec, type StateCommand } from "@codemirror/state";
import type { KeyBinding } from "@codemirror/view";

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

export const keys: KeyBinding[] = [
  // goes on with a list; on an empty item it ends the list, and does not space its items out
  { key: "Enter", run: insertNewlineContinueMarkupCommand({ nonTightLists: false }) },
  { key: "Backspace", run: deleteMarkupBackward },
  { key: "Mod-b", run: wraps("**"), preventDefault: true },
  { key: "Mod-i", run: wraps("*"), preventDefault: true },
];
