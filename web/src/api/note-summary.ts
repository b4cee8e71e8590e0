/** A note's row in a list, made from the whole note as the server makes it. */

import { PREVIEW_CHARACTERS } from "./limits.ts";
import type { Note, NoteSummary } from "./types.ts";

/** A note as the list shows it. The server's own preview replaces this one with the next list. */
export function summaryOf(note: Note): NoteSummary {
  const { body, ...head } = note;
  const plain = body
    .slice(0, PREVIEW_CHARACTERS * 3)
    .replace(/^\s*(```|~~~).*$/gm, "")
    .replace(/^\s*([#>]+|[-*+] (\[[ xX]\] )?|\d+\. )\s*/gm, "")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[*_`~]/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return { ...head, preview: plain.slice(0, PREVIEW_CHARACTERS) };
}
