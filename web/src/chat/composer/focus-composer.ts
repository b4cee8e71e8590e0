/** Moves the focus to the message field. */

/**
 * To be called after the focused element has disappeared. On touch screens the conversation gets the focus instead,
 * because focusing the field would open the on-screen keyboard.
 */
export function focusComposer(): void {
  const touched = matchMedia("(pointer: coarse)").matches;
  const place = touched
    ? document.querySelector<HTMLElement>('[role="log"][aria-label="Conversation"]')
    : document.getElementById("message");
  place?.focus();
}
