/** Shows a dialog over the page; the returned function closes it and gives the focus back where it was. */
export function openModal(dialog: HTMLDialogElement): () => void {
  const before = document.activeElement;
  dialog.showModal();
  return () => {
    dialog.close();
    // the browser does so only for a dialog that is still in the page
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  };
}

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
