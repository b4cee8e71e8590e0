/** Moves the focus to the message field. */

/**
 * On to where a message is written, after what had the focus has gone. Where one types on the glass that would bring
 * up a keyboard nobody asked for: there the conversation gets it.
 */
export function focusComposer(): void {
  const touched = matchMedia("(pointer: coarse)").matches;
  const place = touched
    ? document.querySelector<HTMLElement>('[role="log"][aria-label="Conversation"]')
    : document.getElementById("message");
  place?.focus();
}
