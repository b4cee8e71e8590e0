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
