/**
 * While an input method composes (Chinese, Japanese, Korean and others), keys belong to it: Enter accepts a candidate and
 * must not send, and Escape closes its list. Browsers mark such key events in two ways: `isComposing`, or, in Safari, where
 * the composition has already ended when Enter arrives, only the key code 229.
 */

const INPUT_METHOD_KEY = 229;

/** Hides such key events from all fields of the page but the note editor, which tells them apart itself. */
export function leaveKeysToInputMethods(page: Window): void {
  page.addEventListener(
    "keydown",
    (event) => {
      if (!event.isComposing && event.keyCode !== INPUT_METHOD_KEY) return;
      if (event.target instanceof Element && event.target.closest(".cm-editor")) return;
      event.stopImmediatePropagation();
      // nor does it submit the form of a field
      if (event.key === "Enter" && event.target instanceof HTMLInputElement) event.preventDefault();
    },
    true,
  );
}
