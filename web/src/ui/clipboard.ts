/** Puts text on the clipboard. */

/** False where the browser does not let the page. Called while a click or a key is being answered. */
export async function copyText(text: string): Promise<boolean> {
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (!clipboard) return copiedAsSelected(text);
  return clipboard.writeText(text).then(
    () => true,
    () => copiedAsSelected(text),
  );
}

/** The only way on a page that is neither HTTPS nor of this machine. */
function copiedAsSelected(text: string): boolean {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = text;
  // outside an open dialog nothing can be selected
  (before?.closest("dialog") ?? document.body).append(field);
  field.focus({ preventScroll: true });
  field.select();
  try {
    return document.execCommand("copy");
  } finally {
    field.remove();
    if (before instanceof HTMLElement) before.focus({ preventScroll: true });
  }
}
