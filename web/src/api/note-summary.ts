/** Makes a note's list row from the whole note, as the server does. */

import { PREVIEW_CHARACTERS } from "./limits.ts";
import type { Note, NoteSummary } from "./types.ts";

/** The note's list row. The preview approximates the server's, which replaces it when the list is loaded again. */
export function summaryOf(note: Note): NoteSummary {
  const { body, properties: _, ...head } = note;
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
