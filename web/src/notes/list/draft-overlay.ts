/** A note's row as this browser has the note, while the server has an older one. */

import type { NoteSummary } from "../../api/types.ts";
import type { NoteFields } from "../../api/note-fields.ts";
import { summaryOf } from "../../api/note-summary.ts";

export function withDraft(note: NoteSummary, kept: NoteFields | null): NoteSummary {
  if (!kept) return note;
  const { title, body, tags, pinned } = kept;
  const { preview } = summaryOf({ ...note, body });
  return { ...note, title: title.trim() || note.title, tags, pinned, preview };
}
