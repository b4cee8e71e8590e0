/** Limits a field's text. The attribute `maxlength` counts UTF-16 units, and the server code points. */

import { characters, isTooLong, shortened } from "./characters.ts";

/** Attachment for a field: what is typed or pasted beyond `limit` characters is cut off, as `maxlength` does. */
export const atMost = (limit: number) => (field: HTMLInputElement | HTMLTextAreaElement) => {
  // capturing: before the component reads the value
  field.addEventListener("input", onInput, true);
  field.addEventListener("compositionend", onComposed);
  return () => {
    field.removeEventListener("input", onInput, true);
    field.removeEventListener("compositionend", onComposed);
  };

  function onInput(event: Event): void {
    if ((event as InputEvent).isComposing || !isTooLong(field.value, limit)) return;
    const end = field.selectionStart ?? field.value.length;
    const rest = shortened(field.value.slice(end), limit);
    const kept = shortened(field.value.slice(0, end), limit - characters(rest));
    field.value = kept + rest;
    field.setSelectionRange(kept.length, kept.length);
  }

  function onComposed(): void {
    if (isTooLong(field.value, limit)) field.dispatchEvent(new Event("input", { bubbles: true }));
  }
};
