/** The order of the notes list: pinned first, then the newest. */

import type { Note, NoteSummary } from "../api/types.ts";

export function inOrder(a: NoteSummary, b: NoteSummary): number {
  if (a.pinned !== b.pinned) return a.pinned ? -1 : 1;
  const byTime = Date.parse(b.updated_at) - Date.parse(a.updated_at);
  return byTime || (a.id < b.id ? 1 : -1);
}

const PREVIEW_CHARACTERS = 200;

/** A note as the list shows it. The server's own preview replaces this one with the next list. */
export function summaryOf(note: Note): NoteSummary {
  const { body, ...head } = note;
  const plain = body
    .slice(0, PREVIEW_CHARACTERS * 3)
    .replace(/^\s*([#>]+|[-*+] (\[[ xX]\] )?|\d+\. )\s*/gm, "")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[*_`~]/g, "")
    .replace(/\s+/g, " ")
    .trim();
  return { ...head, preview: plain.slice(0, PREVIEW_CHARACTERS) };
}
