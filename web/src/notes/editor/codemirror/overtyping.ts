/** Typing over selected text, done by the field instead of the browser. */

import { EditorView } from "@codemirror/view";

/** Chromium would give what is typed the looks of what it replaces, by a `style` that the page's policy forbids. */
export const overtyping = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { state, composing } = view;
    if (event.inputType !== "insertText" || !event.data || !event.cancelable || composing) return false;
    if (state.selection.main.empty || state.readOnly) return false;
    view.dispatch(state.replaceSelection(event.data), { userEvent: "input.type", scrollIntoView: true });
    event.preventDefault();
    return true;
  },
});
