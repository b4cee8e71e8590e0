/** Prints the open note or the conversation: `print.css` shows it whole. */

import { tick } from "svelte";

const painted = () => new Promise((resolve) => requestAnimationFrame(resolve));

/** `prepare` may change what is shown; what it returns is called when the print dialog is closed. */
export async function print(what: "note" | "chat", prepare?: () => Promise<() => void>): Promise<void> {
  const restore = await prepare?.();
  await tick();
  await painted();
  await document.fonts.ready;
  document.documentElement.dataset["print"] = what;
  const done = () => {
    delete document.documentElement.dataset["print"];
    restore?.();
  };
  addEventListener("afterprint", done, { once: true });
  window.print();
}
