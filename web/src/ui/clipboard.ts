/** Puts text on the clipboard. */

/** False if the browser denies it. To be called in the handler of a click or a key press. */
export async function copyText(text: string): Promise<boolean> {
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (!clipboard) return copiedAsSelected(text);
  return clipboard.writeText(text).then(
    () => true,
    () => copiedAsSelected(text),
  );
}

/** The only way outside secure contexts (HTTPS or localhost). */
function copiedAsSelected(text: string): boolean {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = text;
  // while a dialog is open, nothing outside it can be selected
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
