/** The order of the notes list: pinned first, then the newest. */

import type { NoteSummary } from "../../api/types.ts";

export function sortNotes(notes: Iterable<NoteSummary>): NoteSummary[] {
  // times are parsed once per note, not once per comparison
  const timed = Array.from(notes, (note) => ({ note, time: Date.parse(note.updated_at) }));
  timed.sort((a, b) => {
    if (a.note.pinned !== b.note.pinned) return a.note.pinned ? -1 : 1;
    return b.time - a.time || (a.note.id < b.note.id ? 1 : -1);
  });
  return timed.map(({ note }) => note);
}
