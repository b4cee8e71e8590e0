/** Puts text on the clipboard. */

/**
 * False if the browser denies it. To be called in the handler of a click or a key press; a text that has to be fetched
 * first is given as a promise, whose rejection is thrown. `html`: the same as rich text, which programs that know it
 * prefer.
 */
export async function copyText(text: string | Promise<string>, html?: string): Promise<boolean> {
  if (typeof text !== "string") return await copiedLater(text);
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (!clipboard) return copiedAsSelected(text, html);
  const written =
    html && "ClipboardItem" in globalThis
      ? clipboard.write([
          new ClipboardItem({ "text/plain": blob(text, "plain"), "text/html": blob(html, "html") }),
        ])
      : clipboard.writeText(text);
  return written.then(
    () => true,
    () => copiedAsSelected(text, html),
  );
}

/** The clipboard waits for the text: by then, the browser may no longer take the copying for the person's own. */
async function copiedLater(text: Promise<string>): Promise<boolean> {
  const clipboard = navigator.clipboard as Clipboard | undefined;
  if (clipboard && "ClipboardItem" in globalThis) {
    const item = new ClipboardItem({ "text/plain": text.then((known) => blob(known, "plain")) });
    const isWritten = await clipboard.write([item]).then(
      () => true,
      () => false,
    );
    if (isWritten) return true;
  }
  return await copyText(await text);
}

const blob = (text: string, kind: "plain" | "html") => new Blob([text], { type: `text/${kind}` });

/** The only way outside secure contexts (HTTPS or localhost). */
function copiedAsSelected(text: string, html?: string): boolean {
  const before = document.activeElement;
  const field = document.createElement("textarea");
  field.className = "visually-hidden";
  field.value = text;
  field.addEventListener("copy", (event) => {
    if (!html || !event.clipboardData) return;
    event.clipboardData.setData("text/plain", text);
    event.clipboardData.setData("text/html", html);
    event.preventDefault();
  });
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
