/** Shows a modal dialog; the returned function closes it and restores the focus. */
export function openModal(dialog: HTMLDialogElement): () => void {
  const before = document.activeElement;
  dialog.showModal();
  return () => {
    dialog.close();
    // the browser does this only for a dialog that is still in the document
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  };
}
