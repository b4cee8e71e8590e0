/** Typing over selected text is done by the editor instead of the browser. */

import { EditorView } from "@codemirror/view";

/** Chromium would copy the replaced text's style into a `style` attribute, which the content security policy forbids. */
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
