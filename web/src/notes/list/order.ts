/** The order of the notes list: pinned first, then the newest. */

import type { Note, NoteSummary } from "../../api/types.ts";

export function sortNotes(notes: Iterable<NoteSummary>): NoteSummary[] {
  // a time is read once a note, not once a comparison
  const timed = Array.from(notes, (note) => ({ note, time: Date.parse(note.updated_at) }));
  timed.sort((a, b) => {
    if (a.note.pinned !== b.note.pinned) return a.note.pinned ? -1 : 1;
    return b.time - a.time || (a.note.id < b.note.id ? 1 : -1);
  });
  return timed.map(({ note }) => note);
}

const PREVIEW_CHARACTERS = 200;

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
